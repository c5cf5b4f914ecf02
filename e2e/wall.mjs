// Measures a wall that changes: frames a second, share of the main thread, heap. Prints JSON.
import { withBrowser } from './browser.mjs';

const SECONDS = Number(process.env.SECONDS ?? 10);
const ROUNDS = Number(process.env.ROUNDS ?? 3);

const frames = (seconds) => new Promise((done) => {
  let count = 0;
  const end = performance.now() + seconds * 1000;
  const step = (now) => { count += 1; if (now < end) requestAnimationFrame(step); else done(count); };
  requestAnimationFrame(step);
});

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

await withBrowser(async (context) => {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(process.env.CONSOLE);
  await page.waitForFunction(() => document.querySelector('rl-live').dataset.mode === 'on');
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(page, client));
  const median = (key) => rounds.map((round) => round[key]).sort((a, b) => a - b)[ROUNDS >> 1];
  console.log(JSON.stringify(Object.fromEntries(
    Object.keys(rounds[0]).map((key) => [key, Number(median(key).toFixed(3))]))));
}, { viewport: { width: 1600, height: 1000 } });
