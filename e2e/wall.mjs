// Measures a console that changes: the changes that arrived and the frames of a second, share of the
// main thread, heap, and how long a filter of its table takes until it is painted. Prints JSON.
import { quit, withBrowser } from './browser.mjs';

const { CONSOLE } = process.env;
const SECONDS = 10;
const ROUNDS = 3;
const FILTERS = 60;

/** Frames that are drawn in some seconds, and changes that the wall painted in them: frames go on
 * on a wall that is told nothing. */
const seen = (seconds) => new Promise((done) => {
  const wall = document.querySelector('rl-wall');
  const { change } = wall;
  let count = 0;
  let changes = 0;
  wall.change = (told) => { changes += told.length; change.call(wall, told); };
  const began = performance.now();
  const end = began + seconds * 1000;
  const step = (now) => {
    count += 1;
    if (now < end) {
      requestAnimationFrame(step);
      return;
    }
    delete wall.change;
    const took = (performance.now() - began) / 1000;
    const { mode } = document.querySelector('rl-live').dataset;
    done({ frames: count / took, arrived: changes / took, live: mode === 'on' ? 1 : 0 });
  };
  requestAnimationFrame(step);
});

const rank = (numbers, share) =>
  numbers.sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

async function measure(page, client) {
  const read = async () => Object.fromEntries(
    (await client.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const before = await read();
  const told = await page.evaluate(seen, SECONDS);
  const after = await read();
  const share = (name) => (after[name] - before[name]) / (after.Timestamp - before.Timestamp);
  return {
    ...told, main: share('TaskDuration'), script: share('ScriptDuration'),
    layout: share('LayoutDuration') + share('RecalcStyleDuration'),
    heap_mb: after.JSHeapUsedSize / 1e6,
  };
}

/** Takes times inside the page: from a key to the moment at which the rows that it led to were
 * shown. The browser itself tells when a text was first shown, so a text is put into the page
 * together with the rows. */
function watchFilters() {
  window.shown = [];
  let typed = 0;
  document.addEventListener('input', (event) => { typed = event.timeStamp; }, true);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const began = Number(entry.identifier);
      window.shown.push({ began, ms: entry.renderTime - began });
    }
  }).observe({ type: 'element', buffered: false });
  new MutationObserver(() => {
    if (!typed) return;
    document.querySelector('p[elementtiming]')?.remove();
    const mark = document.createElement('p');
    Object.assign(mark.style, { position: 'fixed', top: '0', left: '0' });
    mark.setAttribute('elementtiming', String(typed));
    mark.textContent = ` ${Math.round(typed)}`;
    typed = 0;
    document.body.append(mark);
  }).observe(document.querySelector('tbody'), { childList: true, subtree: true, characterData: true });
}

/** What a person types, key by key: each leads to other rows. */
const TYPED = ['Guichet 1', 'Guichet 12', 'Guichet 123', 'Guichet 12', 'Guichet 17', 'Guichet 9'];

/** Milliseconds from each of many changes of a filter to the first paint of its rows. */
async function filters(page) {
  await page.goto(`${CONSOLE}sites?lang=fr`);
  await page.evaluate(watchFilters);
  for (let round = 0; round < FILTERS; round += 1) {
    await page.fill('input[name="q"]', TYPED[round % TYPED.length]);
    await page.waitForFunction((least) => window.shown.length >= least, round + 1);
  }
  return page.evaluate(() => window.shown.map((one) => one.ms));
}

await withBrowser(async (context) => {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(CONSOLE);
  await page.waitForFunction(() => document.querySelector('rl-live').dataset.mode === 'on');
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(page, client));
  const result = Object.fromEntries(Object.keys(rounds[0]).map(
    (key) => [key, rank(rounds.map((round) => round[key]), 0.5)]));
  const times = await filters(page);
  result.filter_p50_ms = rank(times, 0.5);
  result.filter_p95_ms = rank(times, 0.95);
  console.log(JSON.stringify(result, (_, value) =>
    (typeof value === 'number' ? Number(value.toFixed(3)) : value)));
}, { viewport: { width: 1600, height: 1000 } });
await quit();
