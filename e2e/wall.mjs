// Measures a console that changes: frames a second, share of the main thread, heap, and how long
// a filter of its table takes until it is painted. Prints JSON.
import { quit, withBrowser } from './browser.mjs';

const { CONSOLE } = process.env;
const SECONDS = 10;
const ROUNDS = 3;
const FILTERS = 40;

/** Frames that are drawn in some seconds. */
const frames = (seconds) => new Promise((done) => {
  let count = 0;
  const end = performance.now() + seconds * 1000;
  const step = (now) => { count += 1; if (now < end) requestAnimationFrame(step); else done(count); };
  requestAnimationFrame(step);
});

const rank = (numbers, share) =>
  numbers.sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

async function measure(page, client) {
  const read = async () => Object.fromEntries(
    (await client.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const before = await read();
  const count = await page.evaluate(frames, SECONDS);
  const after = await read();
  const share = (name) => (after[name] - before[name]) / (after.Timestamp - before.Timestamp);
  return {
    frames: count / SECONDS, main: share('TaskDuration'), script: share('ScriptDuration'),
    layout: share('LayoutDuration') + share('RecalcStyleDuration'),
    heap_mb: after.JSHeapUsedSize / 1e6,
  };
}

/** Milliseconds from a filter that is sent to the first paint of its rows, each time. */
async function filters(page) {
  const times = [];
  await page.goto(`${CONSOLE}sites?lang=fr`);
  for (let round = 0; round < FILTERS; round += 1) {
    await page.fill('input[name="q"]', `guichet ${round % 10}${round % 7}`);
    await Promise.all([page.waitForURL((url) => url.search.includes(`guichet+${round % 10}${round % 7}`)),
      page.press('input[name="q"]', 'Enter')]);
    times.push(await page.evaluate(() => new Promise((done) => {
      const take = () => {
        const [paint] = performance.getEntriesByName('first-contentful-paint');
        if (paint) done(paint.startTime); else requestAnimationFrame(take);
      };
      take();
    })));
  }
  return times;
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
