"""Writes the goldens of Tests/TortoiseCoreTests/Ops: one safetensors file per family of operations.

    python ops.py OUTPUT_FOLDER [FAMILY ...]        (needs torch, safetensors)

Each case holds inputs, output, the gradient of the output ("upstream") and the gradients of the inputs; see opcases.py.
"""

import sys

import ops_elementwise
import ops_losses
import ops_matrix
import ops_norms
import ops_views

FAMILIES = {
    "arithmetic": ops_elementwise.arithmetic,
    "unary": ops_elementwise.unary,
    "reductions": ops_elementwise.reductions,
    "matmul": ops_matrix.matmul,
    "linear": ops_matrix.linear,
    "softmax": ops_losses.softmax,
    "losses": ops_losses.losses,
    "norms": ops_norms.norms,
    "snake": ops_norms.snake,
    "gather": ops_views.gather,
    "views": ops_views.views,
}


def main(folder, names):
    for name in names or FAMILIES:
        FAMILIES[name]().save(folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
