/** Small helpers that every part of the page uses. */
const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\/+$/, '');

/** An element with properties and children; strings become text, never markup. */
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('aria-') || key === 'role' || key === 'for') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function toast(text) {
  const element = make('div', { className: 'toast' }, text);
  $('toasts').append(element);
  setTimeout(() => element.remove(), 4000);
}

/** Waits for the token of a server that asks for one. */
let askedToken = null;
function askToken() {
  askedToken ??= new Promise((resolve) => {
    const dialog = $('ask-token');
    dialog.addEventListener('close', () => {
      sessionStorage.setItem('token', $('token').value.trim());
      askedToken = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return askedToken;
}

/** Asks the server; what it refuses is thrown with its own words. */
async function api(path, { method = 'GET', json, form, raw = false, signal } = {}) {
  for (;;) {
    const headers = {};
    const token = sessionStorage.getItem('token');
    if (token) headers.Authorization = `Bearer ${token}`;
    if (json !== undefined) headers['Content-Type'] = 'application/json';
    const body = json !== undefined ? JSON.stringify(json) : form;
    const response = await fetch(base + path, { method, headers, body, signal });
    if (response.status === 401) {
      await askToken();
      continue;
    }
    if (!response.ok) {
      const answer = await response.json().catch(() => null);
      const error = new Error(answer?.error?.message ?? `The server answered ${response.status}.`);
      error.status = response.status;
      throw error;
    }
    return raw ? response : response.json();
  }
}

/** Hears what a job has to say, to its end. */
async function listen(job, hear, signal) {
  const response = await api(`/v1/jobs/${job}/events`, { raw: true, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    pending += value;
    const events = pending.split('\n\n');
    pending = events.pop();
    for (const event of events) if (event.startsWith('data: ')) await hear(JSON.parse(event.slice(6)));
  }
}

/** Starts a job that is not speech and gives its result. */
async function runJob(path, json, progress) {
  const job = await api(path, { method: 'POST', json });
  let result = null;
  await listen(job.id, (event) => {
    if (event.type === 'job.progress') progress(event.progress);
    if (event.type === 'job.done') result = event.job.result;
    if (event.type === 'error') throw new Error(event.error.message);
  });
  return result;
}

/** Does something when a control is used, and says what went wrong. */
function on(element, event, action) {
  element.addEventListener(event, async (given) => {
    if (event === 'submit') given.preventDefault();
    try {
      await action(given);
    } catch (error) {
      if (error.name !== 'AbortError') toast(error.message);
    }
  });
}

function seconds(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value < 1) return `${Math.round(1000 * value)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 100) return `${Math.round(value)} s`;
  if (value < 6000) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  while (value >= 1000 && unit < 3) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Tabs, by mouse, arrow keys and address. */
const tabs = [...document.querySelectorAll('[role=tab]')];
const shown = {};
function showTab(name) {
  for (const tab of tabs) {
    const isShown = tab.getAttribute('aria-controls') === name;
    tab.setAttribute('aria-selected', isShown);
    tab.tabIndex = isShown ? 0 : -1;
    $(tab.getAttribute('aria-controls')).hidden = !isShown;
  }
  history.replaceState(null, '', `#${name}`);
  shown[name]?.();
}
for (const tab of tabs) {
  tab.addEventListener('click', () => showTab(tab.getAttribute('aria-controls')));
  tab.addEventListener('keydown', (event) => {
    const visible = tabs.filter((other) => !other.hidden);
    const place = visible.indexOf(tab);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: visible.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const target = visible[(next + visible.length) % visible.length];
    target.focus();
    target.click();
  });
}
const currentTab = () => tabs.find((tab) => tab.getAttribute('aria-selected') === 'true').getAttribute('aria-controls');
