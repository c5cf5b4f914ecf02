// What a passkey is good for, and what it is not: a key of somebody else, another plan than the one
// that was read, glass that is broken, a key that was lost, a plan that is too old, and an answer
// that comes a second time. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import {
  DESK, administers, joins, look, lookHere, openLink, person, quit, withBrowser,
} from './browser.mjs';
import { clock, register, run, serveIn } from './serve.mjs';

const ROWS = `slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public
care,Soins,Care,http://care.example,Hospital,health,2,hall,yes
power,Courant,Power,http://power.example,Utility,energy,2,hall,yes
`;

let server;
let folder;
let data;
let link;
let origin;
/** Sets the clock of the server ahead. */
let ahead;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relight-keys-'));
  data = register(folder, ROWS);
  // Nothing answers there: what is ordered stays an order, which is enough here.
  run(data, 'edge', 'add', 'builtin', '--name', 'hall', '--gate', join(folder, 'gate'),
    '--verify', join(folder, 'verify.sock'), '--listen', '127.0.0.1:9');
  const its = clock(folder);
  ({ ahead } = its);
  ({ server, link, origin } = await serveIn(its.env, data));
});

afterEach(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

after(quit);

/** An administrator, a commander and an approver, each with a browser and a key. */
async function people(use) {
  await withBrowser((first) => withBrowser((second) => withBrowser(async (third) => {
    const [admin, chief, zoe] = [await person(first), await person(second), await person(third)];
    await administers(admin, link);
    await joins(admin, chief, 'chief', 'commander');
    await joins(admin, zoe, 'zoe', 'approver');
    // An administrator cannot invent the second of two people.
    await chief.page.goto(`${origin}/accounts?lang=en`);
    await chief.page.click('[name=answer][value=confirm]');
    await chief.page.waitForSelector('.done');
    await use(admin, chief, zoe);
  }, DESK), DESK), DESK);
}

/** An incident. */
async function open({ page }) {
  await page.goto(`${origin}/?lang=en`);
  await page.click('.drop summary');
  await page.fill('.drop [name=incident]', 'CVE-2021-44228');
  await page.press('.drop [name=incident]', 'Enter');
  await page.locator('h1', { hasText: 'CVE-2021-44228' }).waitFor();
}

/** A plan to take all of its sites dark. */
async function propose({ page }, id = 'A-0001') {
  await page.goto(`${origin}/plan?lang=en&action=dark&which=todo&reason=Log4Shell`);
  await page.click('button.strong');
  await page.waitForURL(`**/approve/${id}?*`);
}

const APPROVING = 'form:has([value=approve])';

/** Nobody but who asked has signed, whatever was tried. */
async function stillWaits(page) {
  await page.goto(`${origin}/approve/A-0001?lang=en`);
  assert.equal(await page.locator('.standing.waiting').count(), 1);
  assert.equal(await page.locator('.seats .vacant').count(), 1);
}

/** Tries to agree in a way that is refused, and looks at what is said. */
async function refused(page, name) {
  await page.click(`${APPROVING} button`);
  await page.waitForSelector('main [role="alert"]:visible');
  await lookHere(page, name);
  await stillWaits(page);
}

/** A link of an administrator takes the place of a key that was lost, which opens nothing more. */
async function lost(context, admin, renew) {
  const max = await person(context);
  await joins(admin, max, 'max', 'viewer');
  const old = await max.keys();
  await renew('max');
  const renewed = await admin.page.textContent('.secret code');
  await max.hold([]);
  const { page } = max;
  await openLink(page, renewed, 'en');
  await page.click('button.main');
  await page.waitForURL('**/me?*');
  await page.click('header form button');
  await page.waitForURL('**/sign-in*');
  await max.hold(old);
  await page.goto(`${origin}/sign-in?lang=en`);
  await page.click('button.main');
  await page.waitForSelector('main [role="alert"]:visible');
  await lookHere(page, 'keys-lost');
}

test('a plan is signed by its reader with a key of his own, and only the one that was read', async () => {
  await people(async (admin, chief, zoe) => {
    await open(chief);
    await propose(chief);
    const { page } = zoe;
    await stillWaits(page);
    const [own, foreign] = [await zoe.keys(), await chief.keys()];
    await zoe.hold(foreign);
    await page.click(`${APPROVING} button`);
    await page.waitForSelector(`${APPROVING} [data-key-failed]:visible`);
    // Nor does it help to ask the browser for that key.
    const id = Buffer.from(foreign[0].credentialId, 'base64').toString('base64url');
    await page.locator(APPROVING).evaluate((form, wanted) => {
      const options = JSON.parse(form.dataset.options);
      options.allowCredentials = [{ type: 'public-key', id: wanted }];
      form.dataset.options = JSON.stringify(options);
    }, id);
    await refused(page, 'keys-foreign');
    await zoe.hold(own);
    await page.goto(`${origin}/approve/A-0001?lang=en`);
    await page.locator(`${APPROVING} [name=hash]`).evaluate((field) => {
      field.value = field.value.replace(/[0-9a-f]/g, (digit) => (15 - parseInt(digit, 16)).toString(16));
    });
    await refused(page, 'keys-changed');

    // The command may darken alone, and everybody is told until somebody looked at it.
    await chief.page.goto(`${origin}/approve/A-0001?lang=en`);
    await chief.page.click('details.glass summary');
    await chief.page.fill('details.glass [name=reason]', 'Nobody answers');
    await chief.page.click('details.glass button');
    await chief.page.waitForSelector('.standing.started');
    await page.goto(`${origin}/sites?lang=en`);
    assert.ok(await page.isVisible('.glass-told'));
    await look(page, `${origin}/plans`, 'keys-glass');
    assert.match(await page.textContent('main'), /Nobody answers/);

    // Whoever decides gets no link of one administrator alone, who could take that place.
    const renew = async (name) => {
      await admin.page.goto(`${origin}/accounts?lang=en`);
      const form = `form[action^="/accounts/renew"]:has([value=${name}])`;
      await admin.page.click(`${form} button:not([formaction])`);
    };
    await renew('zoe');
    await admin.page.waitForSelector('.problem');
    assert.equal(await admin.page.locator('.secret code').count(), 0);
    await withBrowser((other) => lost(other, admin, renew));
  });
});

/** Whether the journal has an entry of somebody that says all of this. */
function journalled(name, ...parts) {
  const lines = run(data, 'audit', 'export', '-f', 'jsonl').trim().split('\n').map(JSON.parse);
  return lines.some(({ actor, body }) => actor === name && parts.every((it) => body.includes(it)));
}

test('a plan that nobody agreed to in time is refused, told and journalled, and is made again', async () => {
  await people(async (admin, chief, zoe) => {
    await open(chief);
    await propose(chief);
    // Half of its time later somebody reads it, who is called away.
    ahead(8 * 60);
    const { page } = zoe;
    await page.goto(`${origin}/approve/A-0001?lang=en`);
    ahead(15 * 60 + 5);
    await page.click(`${APPROVING} button`);
    await page.waitForSelector('main [role="alert"]:visible');
    assert.match(await page.textContent('main [role="alert"]'),
      /it is too late.*make the plan again: a plan lives 15 minutes/s);
    await look(page, `${origin}/approve/A-0001`, 'keys-late');
    assert.equal(await page.locator('[value=approve], [value=refuse]').count(), 0);
    assert.ok(journalled('zoe', 'request-refused', 'refusal-expired'));
    assert.doesNotMatch(run(data, 'audit', 'export', '-f', 'jsonl'), /dark-ordered/);
    // Nothing is lost: the same is asked for again, read and agreed to.
    await propose(chief, 'A-0002');
    await page.goto(`${origin}/approve/A-0002?lang=en`);
    assert.equal(await page.textContent('.large b'), '2');
    await page.click(`${APPROVING} button`);
    await page.waitForSelector('.standing.started');
    assert.match(run(data, 'audit', 'export', '-f', 'jsonl'), /dark-ordered/);
    assert.deepEqual([...chief.faults, ...admin.faults], []);
  });
});

test('what a passkey answered counts once', async () => {
  await withBrowser(async (context) => {
    const anna = await person(context);
    await administers(anna, link);
    const { page } = anna;
    const leave = async () => {
      await page.goto(`${origin}/sites?lang=en`);
      await page.click('header form button');
      await page.waitForURL('**/sign-in*');
    };
    await leave();
    const sent = page.waitForRequest((it) => it.method() === 'POST' && /\/sign-in/.test(it.url()));
    await page.click('button.main');
    const answer = Object.fromEntries(new URLSearchParams((await sent).postData()));
    await page.waitForURL(`${origin}/`);
    await leave();
    // The same once more, as a page sends it.
    await page.locator('form[data-key]').evaluate((form, fields) => {
      for (const name of ['ticket', 'answer']) form.elements[name].value = fields[name];
      form.submit();
    }, answer);
    await page.waitForSelector('main [role="alert"]:visible');
    assert.match(await page.locator('main [role="alert"]:visible').textContent(),
      /the answer came twice/);
    await lookHere(page, 'keys-again');
    assert.equal((await context.cookies()).length, 0, 'nobody is signed in');
    await page.click('button.main');
    await page.waitForURL(`${origin}/`);
    assert.match(await page.textContent('header'), /anna/);
    assert.ok(journalled('anna', 'sign-in-refused', 'expired'));
  });
});
