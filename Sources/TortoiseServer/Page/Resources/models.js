/** Models: what speaks, adapters on top, and what can be fetched. */
let chosenModel = '';
const chosenAdapters = new Map();

async function loadModels() {
  const { data, published } = await api('/v1/models');
  const models = data.filter((model) => model.files);
  const speaking = models.filter((model) => model.kind !== 'adapter');
  $('model-list').replaceChildren(...(speaking.length ? speaking.map(modelElement) : [make('p', { className: 'hint' }, 'No models were found.')]));
  const adapters = models.filter((model) => model.kind === 'adapter');
  $('adapter-list').replaceChildren(...(adapters.length ? adapters.map(adapterElement) : [make('p', { className: 'hint' }, 'Trainings that export a LoRA put it here.')]));
  $('published').replaceChildren(...published.map(publishedElement));
}

function filesElement(model) {
  return make('dl', { className: 'files' }, ...model.files.map((file) =>
    make('div', {}, make('dt', {}, file.stage), make('dd', {}, file.file.split('/').slice(-3).join('/')), make('dd', {}, bytes(file.bytes)))));
}

function modelElement(model) {
  const value = model.default ? '' : model.id;
  const radio = make('input', { type: 'radio', name: 'model', value, checked: chosenModel === value });
  on(radio, 'change', () => { chosenModel = value; });
  const verify = make('button', { type: 'button', className: 'quiet' }, 'Verify');
  const note = make('p', { className: 'hint' });
  on(verify, 'click', async () => {
    verify.disabled = true;
    note.textContent = 'Reading every tensor…';
    try {
      const found = await runJob('/v1/models/verify', { id: model.id }, (progress) => { note.textContent = `Reading file ${progress.done + 1} of ${progress.total}…`; });
      note.textContent = found.files.map((line) => line.replace(/([0-9a-f]{12})[0-9a-f]{52}/, '$1…')).join(' · ');
    } catch (error) {
      note.textContent = error.message;
    } finally {
      verify.disabled = false;
    }
  });
  const kind = { set: model.default ? 'in use' : 'set', checkpoint: 'trained here' }[model.kind];
  return make('div', { className: 'option' }, make('div', { className: 'row spread' },
    make('label', { className: 'check' }, radio, make('b', {}, model.id)), make('span', { className: 'badge' }, kind), verify), filesElement(model), note);
}

function adapterElement(model) {
  const strength = chosenAdapters.get(model.id) ?? 1;
  const box = make('input', { type: 'checkbox', checked: chosenAdapters.has(model.id) });
  const slider = make('input', { type: 'range', min: -1, max: 2, step: 0.05, value: strength, 'aria-label': `Strength of ${model.id}` });
  const output = make('output', {}, Number(strength).toFixed(2));
  const change = () => {
    output.value = Number(slider.value).toFixed(2);
    if (box.checked) chosenAdapters.set(model.id, Number(slider.value));
    else chosenAdapters.delete(model.id);
  };
  on(box, 'change', change);
  on(slider, 'input', () => { box.checked = true; change(); });
  return make('div', { className: 'option' }, make('div', { className: 'row spread' }, make('label', { className: 'check' }, box, make('b', {}, model.id)), output), slider, filesElement(model));
}

function publishedElement(file) {
  const bar = make('progress', { max: 1, value: 0, hidden: true, 'aria-label': `Download of ${file.name}` });
  const note = make('span', { className: 'hint' }, file.is_there ? 'is there' : '');
  const fetchButton = file.is_there ? null : make('button', { type: 'button' }, 'Fetch');
  if (fetchButton) {
    on(fetchButton, 'click', async () => {
      fetchButton.disabled = true;
      bar.hidden = false;
      try {
        await runJob('/v1/models/fetch', { file: file.name }, ({ done, total }) => {
          bar.value = total ? done / total : 0;
          note.textContent = `${bytes(done)} of ${bytes(total)}`;
        });
        await loadModels();
      } catch (error) {
        note.textContent = error.message;
        fetchButton.disabled = false;
      }
    });
  }
  return make('li', {}, make('span', { className: 'grow' }, file.name), bar, note, fetchButton);
}
