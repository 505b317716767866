/** Starts the parts that this server has. */
async function start() {
  const health = await api('/health');
  textLimit = health.text_limit;
  $('tab-train').hidden = !health.trains;
  for (const name of ['speak', 'voices', 'models']) $(`tab-${name}`).hidden = !health.speaks;
  if (health.needs_token && !sessionStorage.getItem('token')) await askToken();
  const problems = (error) => toast(error.message);
  if (health.speaks) {
    startSpeak();
    startVoices();
    shown.voices = () => loadVoices().catch(problems);
    shown.models = () => loadModels().catch(problems);
    await loadVoices().catch(problems);
  }
  if (health.trains) {
    startTrain();
    shown.train = () => loadRuns().catch(problems);
  }
  const wanted = location.hash.slice(1);
  const isThere = tabs.some((tab) => !tab.hidden && tab.getAttribute('aria-controls') === wanted);
  showTab(isThere ? wanted : health.speaks ? 'speak' : 'train');
  watchServer();
}

/** Says when the server is busy or gone. */
async function watchServer() {
  try {
    const { queue, busy } = await api('/health');
    $('server').textContent = busy ? `speaking${queue ? `, ${queue} waiting` : ''}` : 'ready';
  } catch {
    $('server').textContent = 'the server does not answer';
  }
  setTimeout(watchServer, document.hidden ? 10000 : 3000);
}

start().catch((error) => toast(error.message));
