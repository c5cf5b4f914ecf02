// What suites with a server of their own begin with: a register, and the link of the first run.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { RELIGHT } = process.env;

/** The link of the first run, as a server prints it. */
export const FIRST_LINK = /(http:\/\/localhost:\d+\/start#code=\S+)/;

/** Sites of a register that two organisations share. */
export const ROWS = `slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public
care,Soins,Care,https://care.example,Hospital,health,2,,yes
power,Courant,Power,https://power.example,Utility,energy,2,,yes
`;

/** A register in a folder, with these sites; the words that choose it. */
export function register(folder, rows = ROWS) {
  writeFileSync(join(folder, 'sites.csv'), rows);
  const data = ['--data', join(folder, 'data'), '--lang', 'en'];
  run(data, 'sites', 'import', join(folder, 'sites.csv'));
  return data;
}

/** A command on a register, which must end well; what it says. */
export function run(data, ...words) {
  const done = spawnSync(RELIGHT, [...data, ...words]);
  assert.equal(done.status, 0, String(done.stderr));
  return String(done.stdout);
}

/** A clock for a server that is started in a folder: what it needs in its environment, and how it
 * is set ahead by so many seconds while the server runs. */
export function clock(folder) {
  const [library, file] = [join(folder, 'clock.so'), join(folder, 'ahead')];
  const words = ['-shared', '-fPIC', '-o', library, join(import.meta.dirname, 'clock.c'), '-ldl'];
  const built = spawnSync('cc', words);
  assert.equal(built.status, 0, String(built.stderr));
  const ahead = (seconds) => {
    // A reader sees the number of before or this one, and no half of it.
    writeFileSync(`${file}.new`, `${seconds}\n`);
    renameSync(`${file}.new`, file);
  };
  ahead(0);
  return { env: { LD_PRELOAD: library, AHEAD: file }, ahead };
}

/** The server of a register where nobody signed in yet: its process, the link of the first run, and
 * its first line. */
export const serve = (data, ...words) => serveIn({}, data, ...words);

/** The same with this in its environment. */
export async function serveIn(env, data, ...words) {
  const free = '127.0.0.1:0';
  const all = [...data, 'serve', '--listen', free, '--public-listen', free, ...words];
  const server = spawn(RELIGHT, all, { env: { ...process.env, ...env } });
  const first = createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
  let link;
  for await (const line of createInterface({ input: server.stderr })) {
    [, link] = FIRST_LINK.exec(line) ?? [];
    if (link) break;
  }
  assert.ok(link, 'the link of the first run is printed');
  // What it says later must not wait for a reader.
  server.stderr.resume();
  return { server, link, origin: new URL(link).origin, first };
}
