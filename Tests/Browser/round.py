"""Does the whole round of the page in a headless Chromium, with small models.

    python3 Tests/Browser/round.py --tiny FOLDER [--pictures FOLDER]

FOLDER is what `TORTOISE_KEEP_TINY=FOLDER swift test --filter WholeStackTests` leaves: models, recordings and trainings.
With --models another set speaks. Prints a line per step; leaves with 1 at the first thing that is not so.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from devtools import Browser

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Server:
    def __init__(self, program, folder, models, trainings):
        self.log = open(os.path.join(folder, "server.log"), "w+")
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--models", models, "--training", trainings],
            cwd=folder, stderr=self.log, env={**os.environ, "TORTOISE_DATA": os.path.join(ROOT, "data")})
        limit = time.time() + 30
        while True:
            text = open(self.log.name).read()
            found = re.search(r"listening at (\S+)", text)
            if found:
                self.address = found[1]
                return
            if time.time() > limit or self.process.poll() is not None:
                raise SystemExit(f"the server did not start: {text}")
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def step(text):
    print(f"  {text}", flush=True)


def pictures(browser, folder, name):
    """The page at two widths, light and dark."""
    if not folder:
        return
    browser.run("$('toasts').replaceChildren()")
    for kind, width, height, phone, dark in [
        ("desktop", 1280, 860, False, False), ("phone", 390, 844, True, False), ("dark", 1280, 860, False, True)
    ]:
        browser.size(width, height, phone, dark)
        if name == "speak":
            browser.run("result && (drawWave($('wave'), result.samples), drawMel($('mel'), result.samples))")
        found = browser.run("document.documentElement.scrollWidth")
        assert found <= width, f"{name} has {found} pixels on a {kind} of {width}"
        browser.picture(os.path.join(folder, f"{name}-{kind}.png"))
    browser.size(1280, 860)


HASH = """(async () => { const bytes = new Uint8Array(result.samples.buffer);
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(hash)].map((b) => b.toString(16).padStart(2, '0')).join(''); })()"""


SET = """(name, value) => { const { input } = controls.get(name); input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true })); }"""


def follow(browser):
    """A setting that belongs to another is out of reach, and not asked for, until that one is on."""
    told = browser.run("""(async () => { const { components } = await (await fetch('/openapi.json')).json();
        const { dependentRequired } = components.schemas.Speech;
        return Object.fromEntries([...controls.keys()].filter((name) => dependentRequired[name])
            .map((name) => [name, dependentRequired[name][0]])); })()""")
    assert told == browser.run("leaders"), f"the API says {told}"
    reach = "[controls.get('mirostat_tau').input.disabled, 'mirostat_tau' in composed()]"
    assert browser.run(reach) == [True, False]
    browser.run(f"({SET})('mirostat', '2'); ({SET})('mirostat_tau', 4); undefined")
    assert browser.run(reach) == [False, True]
    browser.run(f"({SET})('mirostat', '0'); undefined")
    assert browser.run(reach) == [True, False], "Mirostat is off"
    browser.run("recompose({ ...composed(), dry_multiplier: 1, dry_base: 2 }); undefined")
    assert browser.run("composed().dry_base") == 2, "an earlier request brings its followers back"
    browser.run("$('reset').click()")
    assert browser.run("controls.get('dry_base').input.disabled")
    step("settings follow what they belong to")


def speak(browser, clip, folder):
    browser.wait("typeof voices !== 'undefined' && $('server').textContent === 'ready'")
    browser.give("#upload", [clip])
    browser.wait("$('voice-note').textContent.startsWith('Saved as')", what="the clip is saved as a voice")
    step(f"uploaded a clip: {browser.run('$(`voice`).value')}")
    browser.click("#sentence")
    assert browser.run("$('text').value.length") > 20
    browser.type("#text", "Number five.\nThe second line is a little longer than the first.")
    browser.run("""$('more').open = true; for (const [name, value] of [['max_ar_steps', 60], ['max_diffusion_steps', 60],
        ['candidates', 3], ['keep', 2]]) { controls.get(name).input.value = value;
        controls.get(name).input.dispatchEvent(new Event('input', { bubbles: true })); }
        window.heard = []; const show = showStage; showStage = (progress) => { heard.push(progress.stage); show(progress); };
        window.flows = 0; const add = Flow.prototype.add; Flow.prototype.add = function (s) { flows += 1; add.call(this, s); };
        $('more').open = false; undefined""")
    browser.click("#go")
    browser.wait("heard.length > 3", what="progress is shown")
    browser.wait("$('player').dataset.seconds && !$('go').disabled", 120, "the speech is there")
    stages = browser.run("[...new Set(heard)]")
    assert {"codes", "latents", "diffusion", "vocoder"} <= set(stages), stages
    assert browser.run("flows") >= 2, "sound was played while it was made"
    length, duration = browser.run("[Number($('player').dataset.seconds), 0]")[0], browser.wait("$('player').duration")
    assert abs(length - duration) < 0.1 and length > 0.3, (length, duration)
    assert browser.run("$('versions').children.length") == 2
    step(f"spoke {length} s; stages {', '.join(stages)}; first sound while it was made")
    first = browser.run(HASH)
    browser.click(".again")
    browser.wait("$('go').disabled")
    browser.wait("!$('go').disabled", 120)
    assert browser.run(HASH) == first, "the history's request gave other bytes"
    assert browser.run("past().length") == 2
    step("the history's request gave the same bytes")
    browser.click("#versions button:nth-child(2)")
    browser.wait("result.version === 2")
    assert browser.run(HASH) != first
    browser.click("#versions button:first-child")
    browser.wait("result.version === 1")
    pictures(browser, folder, "speak")
    # Stop, in the middle of much.
    browser.type("#text", "One more.\n" * 60)
    browser.click("#go")
    browser.wait("heard.at(-1) && current")
    browser.click("#stop")
    browser.wait("$('status').textContent === 'Stopped.'", what="it stops")
    step("stopped in the middle")
    browser.click("#record")
    browser.wait("stopRecording !== null")
    time.sleep(1.5)
    browser.click("#record")
    browser.wait("/Saved as recording/.test($('voice-note').textContent)", what="the microphone's sound is saved")
    step("recorded from the (made-up) microphone")


def make_voices(browser, clips, folder):
    browser.click("#tab-voices")
    browser.wait("!$('voices').hidden")
    browser.give("#clips", clips)
    browser.wait("document.querySelectorAll('.verdict').length === %d" % len(clips), what="each clip has a verdict")
    assert browser.run("document.querySelectorAll('.verdict.bad').length") == 1
    pictures(browser, folder, "voices")
    browser.type("#voice-name", "anna")
    browser.click("#save-voice-go")
    browser.wait("voices.some((voice) => voice.name === 'anna')")
    browser.type("#mix-name", "both")
    browser.click("#mixer button")
    browser.wait("voices.some((voice) => voice.name === 'both')")
    browser.type("#random-name", "nobody")
    browser.click("#randomizer button")
    browser.wait("voices.some((voice) => voice.name === 'nobody')")
    step("judged clips, saved a voice, a mix and a random voice")


def look_at_models(browser, folder):
    browser.click("#tab-models")
    browser.wait("document.querySelectorAll('#model-list .option').length > 0")
    browser.click("#model-list .option button")
    browser.wait("/tensors/.test($('model-list').textContent)", what="a model is verified")
    browser.click("#adapter-list input[type=checkbox]")
    assert browser.run("chosenAdapters.size") == 1
    pictures(browser, folder, "models")
    browser.click("#adapter-list input[type=checkbox]")
    assert browser.run("chosenAdapters.size") == 0
    step("listed models, verified one, chose an adapter")


def train(browser, folder):
    browser.click("#tab-train")
    browser.wait("$('run').options.length > 0 && $('yaml').value")
    browser.run("$('run').value = 'adapter'; $('run').dispatchEvent(new Event('change')); undefined")
    browser.wait("run === 'adapter' && $('yaml').value.includes('loras')")
    good = browser.run("$('yaml').value.replace(/iterations: [0-9]+/, 'iterations: 100000')")
    browser.type("#yaml", good.replace("iterations", "iterationz"))
    browser.wait("document.querySelector('#faults .bad, #faults li:nth-child(2)')", what="a mistake is told as it is typed")
    browser.type("#yaml", good)
    browser.wait("document.querySelector('#faults .fine')")
    browser.click("#check")
    browser.wait("/utterances/.test($('report').textContent)", what="the dataset's report is there")
    browser.type("#run-name", "from-the-page")
    browser.click("#start")
    browser.wait("run === 'from-the-page' && $('run-state').textContent === 'running'", what="the trainer runs")
    browser.wait("lastStep > 30", 90, "steps are taken")
    before = browser.run("lastStep")
    browser.type("#rate", "5e-4")
    browser.click("#set-rate")
    browser.wait("/learning rate is/.test($('log').textContent)", what="the learning rate is set")
    browser.click("[data-line=save]")
    browser.wait("/saved step/.test($('log').textContent)", what="a checkpoint is written")
    browser.wait("document.querySelectorAll('#charts svg polyline').length > 3 && lastStep > %d" % (before + 20))
    browser.click("[data-line=eval]")
    browser.wait("document.querySelectorAll('#samples button').length > 1 && curves['val.mel']", 90, "an evaluation is there")
    browser.run("$('yaml').scrollTop = 0; undefined")
    pictures(browser, folder, "train")
    browser.click("#samples button")
    browser.wait("document.querySelector('#samples audio')?.duration > 0.05", what="an evaluation is heard")
    browser.click("[data-line=quit]")
    browser.wait("$('run-state').textContent === 'not running'", what="the trainer leaves")
    step(f"trained from the page to step {browser.run('lastStep')}, heard an evaluation, and left")


def use_keys(browser):
    """Tabs by arrow keys; every control has a name."""
    browser.run("$('tab-train').focus()")
    browser.press("ArrowRight")
    browser.wait("!$('speak').hidden && document.activeElement === $('tab-speak')")
    nameless = browser.run("""[...document.querySelectorAll('button, input, select, textarea, audio')].filter((e) =>
        !e.hidden && !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label') || e.tagName === 'AUDIO'))
        .map((e) => e.outerHTML.slice(0, 100))""")
    assert not nameless, nameless
    step("tabs follow the keys, and every control has a name")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", required=True)
    parser.add_argument("--models", help="the set that speaks; the folder's own unless given")
    parser.add_argument("--program", default=os.path.join(ROOT, ".build/release/tortoise-infer"))
    parser.add_argument("--pictures", help="a folder for pictures of every tab")
    arguments = parser.parse_args()
    tiny = os.path.abspath(arguments.tiny)
    if arguments.pictures:
        os.makedirs(arguments.pictures, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        trainings = os.path.join(folder, "training")
        shutil.copytree(tiny, trainings)
        shutil.rmtree(os.path.join(trainings, "served"), ignore_errors=True)
        noise = os.path.join(folder, "no-sound.wav")
        with open(noise, "w") as file:
            file.write("this is no sound")
        clips = [os.path.join(tiny, f"voices/made/low/{number}.wav") for number in range(3)] + [noise]
        server = Server(arguments.program, folder, arguments.models or os.path.join(tiny, "set"), trainings)
        browser = Browser()
        try:
            browser.size(1280, 860)
            browser.open(server.address)
            speak(browser, clips[0], arguments.pictures)
            follow(browser)
            make_voices(browser, clips, arguments.pictures)
            look_at_models(browser, arguments.pictures)
            train(browser, arguments.pictures)
            use_keys(browser)
            # The refusal of a stopped request is the one that a browser logs by itself.
            assert not browser.complaints, browser.complaints
        finally:
            browser.close()
            status = server.stop()
        assert status == 0, f"the server left with {status}"
        step("the server left in order")
    print("the round is done")


if __name__ == "__main__":
    sys.exit(main())
