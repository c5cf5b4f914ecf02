// The public page without scripts, as data, and after the console is dead.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, test } from 'node:test';
import { DESK, listen, quit, violations, withBrowser } from './browser.mjs';

after(quit);

const { CONSOLE, PUBLIC, RELIGHT, DATA } = process.env;

const json = async (url) => (await fetch(url)).json();

test('people find a service by its sector and by its letter, with scripts off', async () => {
  await withBrowser(async (context) => {
    const { components } = await json(`${PUBLIC}/api/v2/components.json`);
    const dark = components.find(({ group, status }) => !group && status === 'major_outage');
    const page = await context.newPage();
    for (const [lang, word, told] of [['fr', 'secteur', /Hors ligne par précaution/],
      ['en', 'sector', /Offline as a precaution/]]) {
      await page.goto(`${PUBLIC}/${lang}/`);
      assert.equal(await page.getAttribute('html', 'lang'), lang);
      await page.click(`a[href="/${lang}/${dark.group_id.replace('sector-', `${word}/`)}/"]`);
      assert.match(await page.textContent('tbody'), told);
      await page.goto(`${PUBLIC}/${lang}/`);
      await page.click(`a[href="/${lang}/a-z/"]`);
      await page.click('ul.sectors a');
      assert.ok(await page.locator('tbody tr').count() > 0);
    }
  }, { javaScriptEnabled: false });
});

test('however long the other ways to reach a service are, its name is read', async () => {
  const { components } = await json(`${PUBLIC}/api/v2/components.json`);
  const dark = components.find(({ group, status }) => !group && status === 'major_outage');
  for (const width of [1600, 700, 400]) {
    await withBrowser(async (context) => {
      const page = await context.newPage();
      await page.goto(`${PUBLIC}/fr/${dark.group_id.replace('-', '/').replace('sector', 'secteur')}/`);
      const share = await page.evaluate(() => {
        const told = document.querySelector('td.off');
        const way = document.createElement('span');
        way.textContent = ' Téléphone 418 555-0100, ou au comptoir du 12, rue des Érables'.repeat(3);
        told.append(way);
        const name = told.parentElement.querySelector('th');
        return name.offsetWidth / told.closest('table').offsetWidth;
      });
      assert.ok(share > 0.35, `${width} px: the name has ${share} of the row`);
    }, { viewport: { width, height: 900 } });
  }
});

test('where scripts run, a service is found by words of its name', async () => {
  await withBrowser(async (context) => {
    const { services } = await json(`${PUBLIC}/services.json`);
    const page = await context.newPage();
    const faults = listen(page);
    await page.goto(`${PUBLIC}/fr/a-z/`);
    const name = services[0].name.fr;
    await page.fill('rl-find input', name.toUpperCase());
    await page.waitForSelector('.found li');
    assert.ok((await page.locator('.found li').allTextContents()).some((it) => it.includes(name)));
    await page.fill('rl-find input', 'zzzzzz');
    await page.waitForFunction(() => document.querySelector('rl-find p').textContent);
    assert.equal(await page.locator('.found li').count(), 0);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
  });
});

test('every count agrees, whatever the format', async () => {
  const summary = await json(`${PUBLIC}/api/v2/summary.json`);
  const { total, online, offline_precaution: offline } = summary.relight;
  const csv = await (await fetch(`${PUBLIC}/sites.csv`)).text();
  assert.equal(csv.split(',offline-precaution,').length - 1, offline);
  assert.equal(csv.trim().split('\r\n').length - 1, total);
  const { components } = await json(`${PUBLIC}/api/v2/components.json`);
  const services = components.filter((component) => !component.group);
  assert.equal(services.filter(({ status }) => status === 'operational').length, online);
  assert.equal(services.filter(({ status }) => status === 'major_outage').length, offline);
});

test('a certificate is verified with the published key', async () => {
  const key = (await json(`${PUBLIC}/certificates/key.json`)).keys[0];
  const html = await (await fetch(`${PUBLIC}/en/sector/health/`)).text();
  const page = /\/certificates\/[^"]+\.html/.exec(html)?.[0];
  assert.ok(page, 'no service is back in this sector');
  const { protected: head, payload, signature } =
    await json(PUBLIC + page.replace('.html', '.json'));
  const holds = (text) => verify(null, Buffer.from(text), createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'));
  assert.ok(holds(`${head}.${payload}`));
  assert.ok(!holds(`${head}.${payload}x`));
  const said = JSON.parse(Buffer.from(payload, 'base64url'));
  assert.equal(said.reason, 'precaution');
  assert.ok(Date.parse(said.from) < Date.parse(said.to));
});

/** A wall that somebody looks at. */
async function wall(context) {
  const page = await context.newPage();
  await page.goto(`${CONSOLE}/?lang=en`);
  await page.waitForFunction(() => document.querySelector('rl-live').dataset.mode === 'on');
  return page;
}

/** After 15 s of silence the wall says so: a frozen one must never look like a calm one. */
async function freezes(page) {
  assert.equal(await page.locator('.frozen-note').isVisible(), false);
  await page.waitForSelector('rl-live[data-mode="frozen"]', { timeout: 30_000 });
  assert.match(await page.textContent('rl-live'), /frozen since \d+:\d\d/);
  assert.ok(await page.locator('.frozen-note').isVisible());
  assert.match(await page.textContent('[role="status"]'), /frozen/);
  assert.match(await page.evaluate(
    () => getComputedStyle(document.querySelector('rl-wall canvas')).filter), /grayscale/);
  assert.deepEqual(await violations(page), []);
}

const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css' };

/** Gives the files of a folder and knows nothing of relight, as any web server does. */
async function filesOf(folder) {
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const body = await readFile(path).catch(() => null);
    answer.statusCode = body ? 200 : 404;
    answer.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    answer.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** What people read on the pages of a place that lead to a service, with scripts off. */
async function read(place) {
  return withBrowser(async (context) => {
    const page = await context.newPage();
    const told = [];
    const tell = async () => told.push(page.url().replace(place, ''), await page.innerText('main'));
    await page.goto(`${place}/fr/`);
    await tell();
    await page.click('a[href^="/fr/secteur/"]');
    await tell();
    await page.goto(`${place}/fr/a-z/`);
    await page.click('ul.sectors a');
    await tell();
    return told;
  }, { javaScriptEnabled: false });
}

test('the page is served after the console is killed, and the wall says that it is frozen', async () => {
  const { CONSOLE_PID } = process.env;
  const known = await read(PUBLIC);
  assert.match(known[1], /services sur \d+ sont en ligne/);
  const before = await (await fetch(`${PUBLIC}/sites.csv`)).text();
  await withBrowser(async (context) => {
    const page = await wall(context);
    process.kill(Number(CONSOLE_PID), 'SIGKILL');
    await freezes(page);
  }, DESK);
  while (await fetch(PUBLIC).then(() => true, () => false)) { /* The dying still answer. */ }
  // Nothing of relight runs any more: the files alone are the page.
  const plain = await filesOf(join(DATA, 'public', 'current'));
  try {
    assert.deepEqual(await read(`http://localhost:${plain.address().port}`), known);
  } finally {
    plain.close();
    plain.closeAllConnections();
  }
  const port = String(new URL(PUBLIC).port);
  const server = spawn(RELIGHT,
    ['--data', DATA, 'public', 'serve', '--json', '--listen', `127.0.0.1:${port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const started = once(server.stdout, 'data').then(() => true);
    assert.ok(await Promise.race([started, once(server, 'exit').then(() => false)]));
    const after = await (await fetch(`${PUBLIC}/sites.csv`)).text();
    const states = (csv) => csv.replace(/,[^,]*,[^,]*$/gm, '');
    assert.equal(states(after), states(before));
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});
