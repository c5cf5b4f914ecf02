// What the first view costs on the wire, with an empty cache.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { administers, joins, person, quit, withBrowser } from './browser.mjs';
import { register, serve } from './serve.mjs';

after(quit);

const { CONSOLE, PUBLIC } = process.env;

/** What the console may cost, in bytes. */
const CONSOLE_MAX = 58_000;

/** Bytes that came over the wire for a page, heads included. */
async function transferred(context, url) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  client.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForFunction(() => document.readyState === 'complete');
  await page.close();
  return bytes;
}

test('the first load of the console and of the public page is small', async () => {
  await withBrowser(async (context) => {
    const console_ = await transferred(context, `${CONSOLE}/?lang=fr`);
    const public_ = await transferred(context, `${PUBLIC}/fr/`);
    console.log(`first load: console ${console_} bytes, public page ${public_} bytes`);
    assert.ok(console_ > 1_000 && console_ <= CONSOLE_MAX, `console: ${console_}`);
    assert.ok(public_ > 1_000 && public_ <= 30_000, `public page: ${public_}`);
  });
});

/** The sites of a province, and its sectors. */
const SITES = 3_992;
const SECTORS = 24;

/** What one letter of nine states costs where all of them stand on one wall, as no state is like the
 * one before; in the register here all of them are online, which costs nothing. */
const LETTER_BITS = Math.log2(9);

test('so is the first load of a commander of a whole province', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-load-'));
  const rows = Array.from({ length: SITES }, (_, at) => `site-${at},Guichet ${at},Counter ${at},`
    + `https://site-${at}.example,Organisme ${at % 304},sector-${at % 304 % SECTORS},3,,yes\n`);
  const head = 'slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public\n';
  const { server, link, origin } = await serve(register(folder, head + rows.join('')));
  try {
    await withBrowser(async (first) => withBrowser(async (second) => {
      const [admin, chief] = [await person(first), await person(second)];
      await administers(admin, link);
      await joins(admin, chief, 'chief', 'commander');
      await chief.page.goto(`${origin}/?lang=fr`);
      const wall = await chief.page.evaluate(() => [
        document.querySelector('rl-wall').dataset.w.length,
        document.querySelectorAll('[data-from]').length]);
      assert.deepEqual(wall, [SITES, SECTORS]);
      assert.ok(await chief.page.locator('.acts form').count() > 0, 'it has what a commander does');
      const bytes = await transferred(second, `${origin}/?lang=fr`) + SITES * LETTER_BITS / 8;
      console.log(`first load of a commander: ${Math.ceil(bytes)} bytes`);
      assert.ok(bytes > 1_000 && bytes <= CONSOLE_MAX, `${bytes}`);
    }));
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a page of the guide costs no more than the first one of the console', async () => {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${CONSOLE}/docs?lang=fr`);
    const links = await page.$$eval('.book nav a', (all) => all.map((a) => a.href));
    const costs = [];
    for (const link of links) {
      // Each with nothing in the cache, as the first page somebody opens.
      await withBrowser(async (fresh) => costs.push([await transferred(fresh, link), link]));
    }
    const [most, link] = costs.sort(([a], [b]) => b - a)[0];
    console.log(`guide: ${costs.length} pages, the largest ${most} bytes: ${link}`);
    assert.ok(most > 1_000 && most <= CONSOLE_MAX, `${link}: ${most}`);
  });
});
