// Takes the picture of the README: the wall while sites come back, in English and at night.
import { quit, withBrowser } from './browser.mjs';

const { CONSOLE, PICTURE } = process.env;

/** Share of the dark sites that have to be back. */
const BACK = 0.3;
/** Fewer dark sites are not the night that the picture is about. */
const DARK_MIN = 100;
const MINUTES_MAX = 15;

await withBrowser(async (context) => {
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  const until = Date.now() + MINUTES_MAX * 60_000;
  const dark = async () => Number((await page.textContent('[data-t="dark"]')).replace(/\D/g, ''));
  await page.goto(`${CONSOLE}/?lang=en`);
  await page.waitForFunction(() => document.querySelector('rl-live').dataset.mode === 'on');
  for (let most = 0; ;) {
    const now = await dark();
    most = Math.max(most, now);
    if (most >= DARK_MIN && now <= most * (1 - BACK)) break;
    if (Date.now() > until) throw new Error(`${now} of ${most} sites are still dark`);
    await page.waitForTimeout(20);
  }
  await page.screenshot({ path: PICTURE });
}, { viewport: { width: 1600, height: 1000 } });
await quit();
