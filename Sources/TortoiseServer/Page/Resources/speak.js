/** The tab where text becomes speech. */
const sentences = [
  'The boat slid slowly over the dark, still water.', 'Warm bread and a cup of tea were all she asked for.',
  'He mended the old clock with a spoon and some string.', 'Seven grey geese crossed the road without hurry.',
  'A narrow path leads from the mill down to the shore.', 'The letter smelled of smoke and of oranges.',
  'Nobody noticed that the piano was out of tune.', 'Put the ladder back before the rain begins.',
  'They counted the stars until the fire went out.', 'The cat sat by the window and judged the birds.',
  'Fresh snow hid every track across the field.', 'Our train leaves from the far end of the station.',
  'She painted the kitchen door a cheerful yellow.', 'The baker whistled while he swept the floor.',
  'Two coins and a button lay on the counter.', 'A kind word costs nothing and travels far.',
];

/** Every setting: name, label, kind, range and default, as the API has them. */
const settings = [
  ['seed', 'Seed', 'whole', 0, 2147483647, 1, null],
  ['candidates', 'Candidates', 'slide', 1, 32, 1, 4], ['keep', 'Spoken candidates', 'slide', 1, 8, 1, 1],
  ['speed', 'Speed', 'slide', 0.25, 4, 0.05, 1],
  ['max_ar_steps', 'Maximum AR steps', 'slide', 16, 1200, 1, 500],
  ['max_diffusion_steps', 'Maximum diffusion steps', 'slide', 4, 500, 1, 16],
  ['diffusion_sampler', 'Diffusion sampler', 'choice', ['ddim', 'p', 'dpm++2m', 'dpm++3m-sde', 'unipc', 'heun', 'euler-a']],
  ['vocoder', 'Vocoder', 'choice', ['univnet', 'vocos', 'bigvgan', 'hifigan']],
  ['cond_free', 'Conditioning-free guidance', 'choice', ['on', 'off']],
  ['sort_by_similarity', 'Nearest voice first', 'choice', ['on', 'off']], ['rank_by', 'Who ranks', 'choice', ['clvp', 'autoregressive']], ['cvvp_amount', 'CVVP in the ranking', 'slide', 0, 1, 0.05, 0],
  ['cond_free_k', 'Guidance strength', 'slide', 0, 8, 0.1, 0.5],
  ['cond_free_every', 'Steps between looks at guidance', 'slide', 1, 16, 1, 2],
  ['ar_temp', 'Temperature (AR)', 'slide', 0, 1.5, 0.05, 0.3],
  ['ar_guidance', 'Guidance by the text (AR)', 'slide', 0, 4, 0.1, 1],
  ['diffusion_temp', 'Temperature (diffusion)', 'slide', 0, 1.5, 0.05, 0.5],
  ['top_p', 'Top P', 'slide', 0, 1, 0.01, 0.8], ['top_k', 'Top K', 'slide', 0, 1024, 1, 50],
  ['beam_width', 'Beam width', 'slide', 1, 32, 1, 1],
  ['repetition_penalty', 'Repetition penalty', 'slide', 0.1, 8, 0.1, 1],
  ['repetition_penalty_decay', 'Its decay with distance', 'slide', -2, 2, 0.1, 0],
  ['length_penalty', 'Length penalty', 'slide', -2, 2, 0.1, 1], ['stop_penalty', 'Stop penalty', 'slide', -2, 2, 0.1, 0],
  ['min_p', 'Min P', 'slide', 0, 1, 0.01, 0], ['typical_mass', 'Typical mass', 'slide', 0.05, 0.95, 0.05, 0.9],
  ['min_ar_temp', 'Lowest temperature', 'slide', 0.05, 1.5, 0.05, 0.5],
  ['max_ar_temp', 'Highest temperature', 'slide', 0.05, 1.5, 0.05, 1],
  ['mirostat', 'Mirostat', 'choice', ['0', '1', '2']],
  ['mirostat_tau', 'Mirostat τ', 'slide', 0, 8, 0.1, 5], ['mirostat_eta', 'Mirostat η', 'slide', 0, 1, 0.01, 0.1],
  ['dry_multiplier', 'Run penalty', 'slide', 0, 5, 0.1, 0.8], ['dry_base', 'Its growth', 'slide', 1, 4, 0.05, 1.75],
  ['dry_allowed_length', 'Runs without it', 'slide', 1, 20, 1, 2],
];
/** What each of these belongs to: it is out of reach until that is turned on. */
const leaders = {
  min_ar_temp: 'max_ar_temp', mirostat_tau: 'mirostat', mirostat_eta: 'mirostat', dry_base: 'dry_multiplier',
  dry_allowed_length: 'dry_multiplier',
};
const controls = new Map();
const presets = [['', 'Default'], ['ultra_fast', 'Ultra fast'], ['fast', 'Fast'], ['standard', 'Standard'], ['high_quality', 'High quality']];

function buildSettings() {
  for (const [value, label] of presets) {
    $('presets').append(make('label', {}, make('input', { type: 'radio', name: 'preset', value, checked: value === '' }), label));
  }
  for (const [name, label, kind, ...rest] of settings) {
    const id = `set-${name}`;
    const output = make('output', { for: id });
    let input;
    if (kind === 'choice') {
      input = make('select', { id }, make('option', { value: '', textContent: 'as by default' }),
        ...rest[0].map((value) => make('option', { value, textContent: value })));
    } else {
      const [min, max, step, usual] = rest;
      input = make('input', { id, type: kind === 'slide' ? 'range' : 'number', min, max, step });
      input.value = usual ?? '';
      if (kind === 'whole') input.placeholder = 'any';
    }
    const box = make('div', { className: 'setting' }, make('label', { for: id }, label), output, input);
    const control = {
      kind, box, input, usual: kind === 'choice' ? '' : rest[3] ?? '', isSet: false,
      show() {
        box.classList.toggle('set', control.isSet);
        output.value = kind === 'choice' || kind === 'whole' ? '' : control.isSet ? input.value : `${input.value} · default`;
        showReach();
      },
      put(value) {
        control.isSet = value !== undefined && value !== null && value !== '';
        input.value = control.isSet ? value : control.usual;
        control.show();
      },
    };
    input.addEventListener('input', () => {
      control.isSet = input.value !== '' && (kind !== 'choice' || input.value !== '');
      control.show();
    });
    controls.set(name, control);
    control.show();
    $('settings').append(box);
  }
}

/** Whether what a setting belongs to is on. */
function isInReach(name) {
  const leader = controls.get(leaders[name]);
  return !leader || (leader.isSet && leader.input.value !== '0');
}

function showReach() {
  for (const [name, control] of controls) control.input.disabled = !isInReach(name);
}

/** What is asked for, exactly. */
function composed() {
  const body = { input: $('text').value, voice: chosenVoice() };
  const preset = document.querySelector('[name=preset]:checked').value;
  if (preset) body.preset = preset;
  for (const [name, control] of controls) {
    if (!control.isSet || !isInReach(name)) continue;
    const { value } = control.input;
    body[name] = control.kind !== 'choice' ? Number(value) : value === 'on' || value === 'off' ? value === 'on' : name === 'mirostat' ? Number(value) : value;
  }
  body.seed ??= Math.floor(Math.random() * 2147483647);
  if (chosenModel) body.model = chosenModel;
  const loras = [...chosenAdapters].map(([id, strength]) => ({ id, strength }));
  if (loras.length) body.loras = loras;
  return body;
}

/** Puts an earlier request back into the form. */
function recompose(body) {
  $('text').value = body.input;
  showLength();
  const [first, second] = body.voice.split('+').map((part) => part.match(/^(.*?)(?::([\d.]+))?$/));
  $('voice').value = first[1];
  $('mixes').checked = Boolean(second);
  $('mix-row').hidden = !second;
  if (second) {
    $('mix-voice').value = second[1];
    $('mix').value = Math.round(Number(second[2] ?? 0.5) * 100);
    $('mix-share').value = `${$('mix').value} %`;
  }
  for (const radio of document.querySelectorAll('[name=preset]')) radio.checked = radio.value === (body.preset ?? '');
  for (const [name, control] of controls) {
    const value = body[name];
    control.put(typeof value === 'boolean' ? (value ? 'on' : 'off') : value);
  }
}

function chosenVoice() {
  const voice = $('voice').value;
  if (!$('mixes').checked || !$('mix-voice').value) return voice;
  const share = Number($('mix').value) / 100;
  return `${voice}:${(1 - share).toFixed(2)}+${$('mix-voice').value}:${share.toFixed(2)}`;
}

// Speaking.

const stageNames = { voice: 'Voice', codes: 'Codes', ranking: 'Ranking', latents: 'Latents', diffusion: 'Diffusion', vocoder: 'Waveform' };
let current = null;
let flow = null;
let textLimit = 20000;

function showLength() {
  const count = $('text').value.length;
  $('length').textContent = count ? `${count} of ${textLimit} characters` : '';
  $('length').classList.toggle('bad', count > textLimit);
}

function showStage(progress) {
  $('stages').hidden = false;
  let row = $(`stage-${progress.stage}`);
  if (!row) {
    row = make('div', { className: 'stage', id: `stage-${progress.stage}` },
      make('span', {}, stageNames[progress.stage] ?? progress.stage),
      make('progress', { max: 1, value: 0, 'aria-label': stageNames[progress.stage] ?? progress.stage }), make('span'));
    row.style.order = Object.keys(stageNames).indexOf(progress.stage);
    $('stages').append(row);
  }
  for (const other of $('stages').children) {
    const isPast = other !== row;
    if (isPast && other.classList.contains('now')) {
      other.children[1].value = 1;
      other.children[2].textContent = 'done';
    }
    other.classList.toggle('now', !isPast);
  }
  row.children[1].value = progress.total ? progress.done / progress.total : 0;
  const part = progress.parts > 1 ? `${progress.part + 1}/${progress.parts} · ` : '';
  row.children[2].textContent = part + (progress.seconds_left === null ? '…' : `${seconds(progress.seconds_left)} left`);
}

async function speak(body) {
  if (!body.voice) throw new Error('There is no voice yet. Upload a recording first.');
  stopFlow();
  $('stages').replaceChildren();
  $('go').disabled = true;
  $('stop').disabled = false;
  $('status').textContent = 'Sent.';
  const started = performance.now();
  let firstSound = null;
  try {
    const job = await api('/v1/audio/speech', {
      method: 'POST', json: { ...body, response_format: 'wav', background: true, stream: true },
    });
    current = job.id;
    if ($('aloud').checked) flow = new Flow();
    await listen(job.id, (event) => {
      switch (event.type) {
        case 'job.queued': $('status').textContent = event.ahead ? `${event.ahead} before this one.` : 'Beginning.'; break;
        case 'job.progress':
          showStage(event.progress);
          $('status').textContent = 'Speaking.';
          break;
        case 'speech.audio.delta':
          firstSound ??= (performance.now() - started) / 1000;
          flow?.add(pcmSamples(event.audio));
          break;
        case 'speech.audio.done': return finish(event.job, body, firstSound);
        case 'error': throw new Error(event.error.code === 'cancelled' ? 'Stopped.' : event.error.message);
        default:
      }
      return undefined;
    });
  } catch (error) {
    $('status').textContent = error.message;
    stopFlow();
    if (error.message !== 'Stopped.') throw error;
  } finally {
    current = null;
    $('go').disabled = false;
    $('stop').disabled = !flow;
  }
}

function stopFlow() {
  flow?.close();
  flow = null;
  $('stop').disabled = true;
}

async function finish(job, body, firstSound) {
  for (const row of $('stages').children) {
    row.classList.remove('now');
    row.children[1].value = 1;
    row.children[2].textContent = 'done';
  }
  const { versions, report } = job.result;
  const facts = [
    `seed ${body.seed}`, `made in ${seconds(report.seconds)}`, `real-time factor ${report.real_time_factor.toFixed(2)}`,
    firstSound === null ? null : `first sound after ${seconds(firstSound)}`, ...(report.remarks ?? []),
  ];
  $('facts').textContent = facts.filter(Boolean).join(' · ');
  $('status').textContent = `${seconds(versions[0].seconds)} of speech.`;
  remember(job, body, versions[0].seconds);
  await showResult(job.id, versions, body);
  // What was not heard while it was made is ready in the player.
  if (flow) setTimeout(stopFlow, flow.left * 1000 + 200);
}

let result = null;
async function showResult(job, versions, body) {
  $('versions').replaceChildren(...(versions.length > 1 ? versions.map((version, i) => {
    const score = version.score === null ? '' : ` · ${version.score.toFixed(3)}`;
    const button = make('button', { type: 'button', 'aria-pressed': i === 0 }, `${i + 1}: ${seconds(version.seconds)}${score}`);
    on(button, 'click', () => showVersion(job, i + 1, body));
    return button;
  }) : []));
  await showVersion(job, 1, body);
}

async function showVersion(job, version, body) {
  const response = await api(`/v1/jobs/${job}/result?version=${version}`, { raw: true });
  const blob = await response.blob();
  const samples = wavSamples(await blob.arrayBuffer());
  if (result) URL.revokeObjectURL(result.url);
  result = { job, version, body, samples, url: URL.createObjectURL(blob) };
  [...$('versions').children].forEach((button, i) => button.setAttribute('aria-pressed', i === version - 1));
  $('sound').hidden = false;
  $('player').src = result.url;
  $('player').dataset.seconds = (samples.length / sampleRate).toFixed(3);
  drawWave($('wave'), samples);
  drawMel($('mel'), samples);
}

async function download() {
  const format = $('format').value;
  const response = await api(`/v1/jobs/${result.job}/result?version=${result.version}&response_format=${format}`, { raw: true });
  const url = URL.createObjectURL(await response.blob());
  make('a', { href: url, download: `${result.body.voice.replace(/[^\w-]+/g, '-')}-${result.body.seed}.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// History: the exact request of everything that was spoken from here.

const past = () => JSON.parse(localStorage.getItem('history') ?? '[]');
function remember(job, body, length) {
  const list = [{ body, length, job: job.id, time: Date.now() }, ...past()].slice(0, 50);
  localStorage.setItem('history', JSON.stringify(list));
  showHistory();
}

function showHistory() {
  const entries = past().map((entry) => {
    const again = make('button', { type: 'button', className: 'again' }, 'Again');
    on(again, 'click', () => { recompose(entry.body); return speak(entry.body); });
    const edit = make('button', { type: 'button', className: 'quiet' }, 'Edit');
    on(edit, 'click', () => { recompose(entry.body); $('text').focus(); });
    const { input, ...rest } = entry.body;
    const details = Object.entries(rest).map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' · ');
    return make('li', {}, make('div', { className: 'grow' }, make('div', {}, input.length > 140 ? `${input.slice(0, 140)}…` : input),
      make('div', { className: 'hint' }, `${new Date(entry.time).toLocaleString()} · ${seconds(entry.length)} · ${details}`)), edit, again);
  });
  $('history').replaceChildren(...(entries.length ? entries : [make('li', { className: 'hint' }, 'What you have spoken is listed here, with its settings.')]));
}

function startSpeak() {
  buildSettings();
  showHistory();
  on($('composer'), 'submit', () => speak(composed()));
  on($('stop'), 'click', async () => {
    stopFlow();
    if (current) await api(`/v1/jobs/${current}`, { method: 'DELETE' });
  });
  on($('sentence'), 'click', () => { $('text').value = sentences[Math.floor(Math.random() * sentences.length)]; showLength(); });
  on($('text'), 'input', showLength);
  on($('text'), 'keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('composer').requestSubmit(); });
  on($('reset'), 'click', () => { for (const control of controls.values()) control.put(null); });
  on($('mixes'), 'change', () => { $('mix-row').hidden = !$('mixes').checked; });
  on($('mix'), 'input', () => { $('mix-share').value = `${$('mix').value} %`; });
  on($('download'), 'click', download);
  on($('keep-seed'), 'click', () => { controls.get('seed').put(result.body.seed); $('more').open = true; return speak({ ...composed(), seed: result.body.seed }); });
  on($('forget'), 'click', () => { localStorage.removeItem('history'); showHistory(); });
  on(document.querySelector('.pictures'), 'click', (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    $('player').currentTime = ((event.clientX - box.left) / box.width) * $('player').duration;
  });
  const follow = () => {
    const { currentTime, duration } = $('player');
    $('cursor').style.left = `${duration ? (100 * currentTime) / duration : 0}%`;
    requestAnimationFrame(follow);
  };
  requestAnimationFrame(follow);
}
