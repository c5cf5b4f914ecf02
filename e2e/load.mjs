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
