// What the first view costs on the wire, with an empty cache.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { quit, withBrowser } from './browser.mjs';

after(quit);

const { CONSOLE, PUBLIC } = process.env;

/** Bytes that came over the wire for a page, heads included. */
async function transferred(context, url) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
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
    assert.ok(console_ > 1_000 && console_ <= 58_000, `console: ${console_}`);
    assert.ok(public_ > 1_000 && public_ <= 30_000, `public page: ${public_}`);
  });
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
    assert.ok(most > 1_000 && most <= 58_000, `${link}: ${most}`);
  });
});
