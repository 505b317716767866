"""Writes the goldens of Tests/TortoiseCoreTests/Formats/Configuration.

    python configuration.py OUTPUT_FOLDER        (needs PyYAML 6)

scalars.json    how PyYAML's safe loader resolves a list of plain scalars: [text, type, value as text]
reference.yaml  every key of the reference's schema, with the values of its sample configuration where it has them
"""

import json
import pathlib
import sys

import yaml

PLAIN = [
    "true", "True", "TRUE", "yes", "No", "ON", "off", "y", "n", "tRue",
    "~", "null", "Null", "NULL", "nUll",
    "0", "-0", "+7", "12", "-12", "1_000_000", "0x1F", "-0xff", "0b101", "017", "08", "0o17", "00", "9223372036854775807",
    "-9223372036854775808",
    "1.5", "-1.5", "+1.5", "1.", ".5", "-.5", "1.5e3", "1.5e+3", "1.5e-3", "1.0E+10", ".inf", "-.inf", "+.Inf", ".nan", ".NaN",
    "1_000.5", "0.1_5", "1e", "e5", "+", ".", "..", "1.2.3", "1-2", "_1", "--1", "+-1", "0x", "0xg", "0b2", "1 2", "12a",
    "a", "group/speaker", "LibriTTS/*", "./tokenizer.json", "naïve", "日本",
]

# The keys and values are facts of e-c-k-e-r/tortoise-tts: data/config.yaml and tortoise_tts/config.py.
REFERENCE = {
    "device": "cuda", "mode": "training", "experimental": False, "silent_errors": False,
    "models": [{"name": "autoregressive", "training": False, "attention": "eager", "teacher": False, "frozen_params": [],
                "path": None, "kwargs": {}}],
    "loras": [{"name": "lora", "rank": 128, "alpha": 128, "training": True, "embeddings": False, "parametrize": True,
               "rvq_levels": [], "path": None}],
    "tokenizer": None, "tokenizer_path": "./tokenizer.json", "sample_rate": 24000, "audio_backend": "mel",
    "vocoder": "hifigan", "weights_name": "fp32", "weights_format": "sft",
    "supported_weights_formats": ["sft", "safetensors", "pt", "pth"],
    "hyperparameters": {
        "batch_size": 16, "gradient_accumulation_steps": 4, "gradient_clipping": 1.0, "optimizer": "Prodigy",
        "optimizer_params": {}, "learning_rate": 1.0, "warmup_steps": 100, "scheduler": "", "scheduler_params": {},
        "autotune": False, "autotune_params": {"start_profile_step": 1, "end_profile_step": 50,
                                               "num_tuning_micro_batch_sizes": 8},
        "torch_optimizer": True, "torch_scheduler": True, "teacher_alpha": 0.5, "teacher_temperature": 1.0,
        "teacher_loss_fn": "mse"},
    "evaluation": {"batch_size": 8, "frequency": 5000, "size": 8,
                   "kwargs": {"max_steps": 500, "ar_temp": 0.95, "nar_temp": 0.25}},
    "trainer": {
        "iterations": 1_000_000, "save_tag": "step", "load_tag": None, "save_on_oom": True, "save_on_quit": True,
        "export_on_save": True, "export_on_quit": False, "save_frequency": 250, "keep_last_checkpoints": 4,
        "load_state_dict": False, "load_states": True, "strict_loading": False, "load_module_only": False,
        "restart_step_count": False, "resize_modules": True, "activation_checkpointing": None,
        "gradient_checkpointing": True, "detect_grad_anomaly": False, "check_for_oom": True, "gc_mode": None,
        "wandb": False, "wandb_params": {}, "weight_dtype": "float16", "audio_device": "auto",
        "decode_non_resp_audio": True, "amp": True, "ddp": False, "load_webui": False, "backend": "deepspeed",
        "deepspeed": {"zero_optimization_level": 0, "use_compression_training": False, "compression_bits": 8,
                      "inferencing": True, "optimizer": True, "amp": False, "loss_scale_window": 1000,
                      "min_loss_scale": 32768, "max_loss_scale": 1048576, "loss_scale": 0.0, "profile": False,
                      "config": {}}},
    "inference": {"backend": "deepspeed", "weight_dtype": "float32", "amp": False, "normalize": False, "batch_size": 16,
                  "audio_backends": {}, "auto_unload": False},
    "optimizations": {"injects": False, "replace": True, "compile": False, "linear": False, "embedding": False,
                      "optimizers": True, "bitsandbytes": False, "dadaptation": False, "bitnet": False, "fp8": False,
                      "model_offloading": None, "tensorrt": False, "unsloth": False},
    "dataset": {
        "training": ["LJSpeech/LJ", "LibriTTS-R/*"], "validation": [], "noise": [],
        "speaker_name_getter": "lambda p: f'{p.parts[-3]}_{p.parts[-2]}'",
        "speaker_group_getter": "lambda p: f'{p.parts[-3]}'", "speaker_languages": {"ja": []},
        "use_hdf5": True, "hdf5_name": "data.h5", "hdf5_flag": "r", "use_metadata": True, "validate": True,
        "strict_validate": False, "workers": 2, "cache": True, "min_utterances": 2, "max_utterances": 0,
        "duration_range": [3.0, 5.0], "sample_type": "path", "sample_order": "duration", "sample_shuffle": False,
        "sample_max_duration_batch": 0, "prompt_duration_range": [3.0, 6.0], "prompt_max_samples": 1,
        "prompt_continuous_utterance_p": 0.0, "prompt_similar_p": 1.0, "prompt_similar_top_k": 1,
        "prompt_similar_top_k_offset": 0, "prompt_inject_noise_p": 0.0, "resps_max_samples": 1, "resps_append_p": 0.0,
        "resps_pad_silence_p": 0.0, "tasks_list": ["tts", "stt"], "reencode_on_concat": False, "reencode_device": "cpu",
        "noise_scale": 0.25, "retokenize_text": False, "_frames_per_second": 0},
}


def main(folder):
    rows = []
    for text in PLAIN:
        value = yaml.safe_load("k: " + text)["k"]
        name = type(value).__name__
        rows.append([text, name, repr(value) if name == "float" else str(value)])
    path = pathlib.Path(folder) / "scalars.json"
    (pathlib.Path(folder) / "reference.yaml").write_text(yaml.safe_dump(REFERENCE, sort_keys=False, width=120))
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
