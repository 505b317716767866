/** Voices: choosing, making, mixing and removing them. */
let voices = [];

async function loadVoices(wanted) {
  const before = wanted ?? $('voice').value;
  voices = (await api('/v1/voices')).data;
  const groups = [['Saved', voices.filter((voice) => voice.saved)], ['Bundled', voices.filter((voice) => !voice.saved)]];
  const options = () => groups.filter(([, list]) => list.length).map(([label, list]) =>
    make('optgroup', { label }, ...list.map((voice) => make('option', { value: voice.name, textContent: voice.name }))));
  for (const id of ['voice', 'mix-voice', 'mix-a', 'mix-b']) {
    const chosen = $(id).value;
    $(id).replaceChildren(...options());
    if (id === 'voice' && voices.length > 1) $(id).append(make('optgroup', { label: 'Nobody' }, make('option', { value: 'random', textContent: 'random (by the seed)' })));
    if (voices.some((voice) => voice.name === chosen) || chosen === 'random') $(id).value = chosen;
  }
  if (before && (before === 'random' || voices.some((voice) => voice.name === before))) $('voice').value = before;
  if (voices.length > 1 && $('mix-a').value === $('mix-b').value) $('mix-b').selectedIndex = 1;
  $('voice-note').textContent = voices.length ? '' : 'There is no voice yet: upload or record somebody speaking, six seconds or more.';
  showVoiceList();
  showMixText();
}

function showVoiceList() {
  $('voice-list').replaceChildren(...voices.map((voice) => {
    const use = make('button', { type: 'button' }, 'Use');
    on(use, 'click', () => { $('voice').value = voice.name; showTab('speak'); $('text').focus(); });
    let remove = null;
    if (voice.saved) {
      remove = make('button', { type: 'button', className: 'quiet', 'aria-label': `Remove ${voice.name}` }, 'Remove');
      on(remove, 'click', async () => {
        if (!confirm(`Remove the voice ${voice.name}?`)) return;
        await api(`/v1/voices/${encodeURIComponent(voice.name)}`, { method: 'DELETE' });
        await loadVoices();
      });
    }
    return make('li', {}, make('span', { className: 'grow' }, voice.name), make('span', { className: 'badge' }, voice.saved ? 'saved' : 'bundled'), remove, use);
  }));
}

/** A name that is free, from what a file is called. */
function freeName(file) {
  const stem = file.replace(/\.[^.]*$/, '').replace(/[^\p{L}0-9 _-]+/gu, '-').replace(/^[-\s]+|[-\s]+$/g, '').slice(0, 50) || 'voice';
  let [name, number] = [stem, 2];
  while (voices.some((voice) => voice.name === name)) {
    name = `${stem} ${number}`;
    number += 1;
  }
  return name;
}

function formOf(files, name) {
  const form = new FormData();
  if (name) form.append('name', name);
  for (const file of files) form.append('files', file, file.name ?? 'recording.wav');
  return form;
}

async function saveVoice(files, name) {
  $('voice-note').textContent = `Listening to ${files.length > 1 ? `${files.length} recordings` : files[0].name ?? 'the recording'}…`;
  try {
    await api('/v1/voices', { method: 'POST', form: formOf(files, name) });
    await loadVoices(name);
    $('voice-note').textContent = `Saved as ${name}.`;
  } catch (error) {
    $('voice-note').textContent = error.message;
    throw error;
  }
}

let stopRecording = null;
async function toggleRecording() {
  const button = $('record');
  if (!stopRecording) {
    stopRecording = await startRecording();
    button.textContent = 'Stop recording';
    button.setAttribute('aria-pressed', 'true');
    $('voice-note').textContent = 'Speak for six seconds or more.';
    return;
  }
  const stop = stopRecording;
  stopRecording = null;
  button.textContent = 'Record';
  button.setAttribute('aria-pressed', 'false');
  const blob = await stop();
  await saveVoice([new File([blob], 'recording.wav')], freeName('recording'));
}

// A new voice of recordings.

let clips = [];
async function judge(files) {
  clips = [...clips, ...files];
  $('save-voice-go').disabled = true;
  $('verdicts').replaceChildren(make('p', { className: 'hint' }, 'Listening…'));
  if (!$('voice-name').value && clips.length) $('voice-name').value = freeName(clips[0].name);
  let verdicts;
  try {
    verdicts = (await api('/v1/voices/check', { method: 'POST', form: formOf(clips) })).data;
  } catch (error) {
    $('verdicts').replaceChildren();
    clips = [];
    throw error;
  }
  $('verdicts').replaceChildren(...verdicts.map(verdictElement));
  $('save-voice-go').disabled = !verdicts.some((verdict) => !verdict.fault);
  const unusable = new Set(verdicts.filter((verdict) => verdict.fault).map((verdict) => verdict.name));
  clips = clips.filter((clip) => !unusable.has(clip.name));
}

function verdictElement(verdict, place) {
  const kind = verdict.fault ? 'bad' : verdict.problems.length ? 'warn' : '';
  const measures = verdict.fault ? [] : [
    seconds(verdict.seconds), verdict.loudness === null ? null : `${verdict.loudness.toFixed(1)} LUFS`,
    verdict.noise_floor === null ? null : `noise ${verdict.noise_floor.toFixed(0)} dB`,
    verdict.similarity === null ? null : `like the others ${(100 * verdict.similarity).toFixed(0)} %`,
  ].filter(Boolean);
  const words = verdict.fault ?? (verdict.problems.length ? verdict.problems.join('; ') : 'good');
  return make('div', { className: `verdict ${kind}` }, make('b', {}, `${place + 1}. ${verdict.name}`),
    make('div', { className: 'hint' }, measures.join(' · ')), make('div', { className: kind === 'bad' ? 'bad' : '' }, words));
}

function showMixText() {
  const share = Number($('mix-slider').value);
  $('mix-text').textContent = voices.length > 1 ? `${100 - share} % ${$('mix-a').value}, ${share} % ${$('mix-b').value}` : 'Two voices are needed.';
}

function startVoices() {
  on($('upload-button'), 'click', () => $('upload').click());
  on($('upload'), 'change', async () => {
    const files = [...$('upload').files];
    if (files.length) await saveVoice(files, freeName(files[0].name));
    $('upload').value = '';
  });
  on($('record'), 'click', toggleRecording);
  on($('choose'), 'click', () => $('clips').click());
  on($('clips'), 'change', async () => {
    const files = [...$('clips').files];
    $('clips').value = '';
    await judge(files);
  });
  const drop = $('drop');
  for (const event of ['dragenter', 'dragover']) on(drop, event, (given) => { given.preventDefault(); drop.classList.add('over'); });
  on(drop, 'dragleave', () => drop.classList.remove('over'));
  on(drop, 'drop', async (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    await judge([...event.dataTransfer.files]);
  });
  on($('save-voice'), 'submit', async () => {
    const name = $('voice-name').value;
    await saveVoice(clips, name);
    clips = [];
    $('verdicts').replaceChildren();
    $('voice-name').value = '';
    $('save-voice-go').disabled = true;
    toast(`Saved as ${name}.`);
  });
  for (const id of ['mix-slider', 'mix-a', 'mix-b']) on($(id), 'input', showMixText);
  on($('mixer'), 'submit', async () => {
    const share = Number($('mix-slider').value) / 100;
    const mix = `${$('mix-a').value}:${(1 - share).toFixed(2)}+${$('mix-b').value}:${share.toFixed(2)}`;
    await api('/v1/voices', { method: 'POST', json: { name: $('mix-name').value, mix } });
    toast(`Saved as ${$('mix-name').value}.`);
    await loadVoices($('mix-name').value);
    $('mix-name').value = '';
  });
  on($('randomizer'), 'submit', async () => {
    const name = $('random-name').value;
    await api('/v1/voices', { method: 'POST', json: { name, random: Number($('random-seed').value) } });
    toast(`Saved as ${name}.`);
    await loadVoices(name);
    $('random-name').value = '';
  });
}
