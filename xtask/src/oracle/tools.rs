//! The tools that define an order, each asked about many pairs in one process.

use std::fs;
use std::path::Path;

use crate::process;

/// A scheme, and how its tool is asked: pairs in, one of `<`, `=`, `>`, `?` for each out.
pub(super) struct Oracle {
    pub(super) scheme: &'static str,
    /// What must be installed, as a person would say it.
    pub(super) needs: &'static str,
    /// How relight is asked.
    pub(super) words: &'static [&'static str],
    ask: Ask,
}

type Ask = fn(&[(String, String)]) -> Result<Vec<char>, String>;

impl Oracle {
    /// The verdict of the tool about each pair.
    ///
    /// # Errors
    /// When the tool cannot be run, or answers another number of pairs.
    pub(super) fn ask(&self, pairs: &[(String, String)]) -> Result<Vec<char>, String> {
        let verdicts = (self.ask)(pairs)?;
        if verdicts.len() == pairs.len() {
            return Ok(verdicts);
        }
        Err(format!("{}: {} answers to {} pairs", self.scheme, verdicts.len(), pairs.len()))
    }
}

pub(super) const ORACLES: [Oracle; 8] = [
    Oracle {
        scheme: "maven",
        needs: "java and libmaven3-core-java",
        words: &["maven"],
        ask: maven,
    },
    Oracle { scheme: "pep440", needs: "python3 with packaging", words: &["pep440"], ask: python },
    Oracle { scheme: "npm", needs: "node with npm", words: &["npm"], ask: node },
    Oracle { scheme: "deb", needs: "perl with libdpkg-perl", words: &["deb"], ask: dpkg },
    Oracle { scheme: "rpm", needs: "rpm", words: &["rpm"], ask: rpm },
    Oracle { scheme: "gem", needs: "ruby", words: &["gem"], ask: ruby },
    Oracle { scheme: "composer", needs: "php-cli", words: &["composer"], ask: php },
    Oracle {
        scheme: "composer-keys",
        needs: "php-cli with php-composer-semver",
        words: &["composer", "--matching"],
        ask: composer,
    },
];

/// One line a pair, the versions with a tab between.
fn lines(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect()
}

/// One answer a line: a sign, or a number below, at or above 0.
fn answers(output: &str) -> Vec<char> {
    let answer = |line: &str| match line.trim() {
        sign @ ("<" | "=" | ">") => sign.chars().next().unwrap_or('?'),
        number => match number.parse::<i32>() {
            Ok(number) if number < 0 => '<',
            Ok(0) => '=',
            Ok(_) => '>',
            Err(_) => '?',
        },
    };
    output.lines().filter(|line| !line.trim().is_empty()).map(answer).collect()
}

fn filter(
    program: &str,
    arguments: &[&str],
    pairs: &[(String, String)],
) -> Result<Vec<char>, String> {
    let output = process::filter(program, arguments, lines(pairs).as_bytes())?;
    Ok(answers(&String::from_utf8_lossy(&output)))
}

fn python(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin.buffer.read().decode().split('\\n')[:-1]:
    a, b = line.split('\\t')
    try:
        a, b = Version(a), Version(b)
        print('<' if a < b else '>' if a > b else '=')
    except InvalidVersion:
        print('?')
";
    filter("python3", &["-c", SCRIPT], pairs)
}

fn node(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
const { execSync } = require('child_process');
const root = execSync('npm root -g').toString().trim();
const semver = require(root + '/npm/node_modules/semver');
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) {
  const [a, b] = line.split('\\t');
  // Of four numbers npm makes `1.0.1-0.2` out of `1.0.10.2`; here the fourth is a build.
  const four = /^[v=\\s]*\\d+\\.\\d+\\.\\d+\\./;
  const valid = (v) => !four.test(v) && semver.valid(v, { loose: true });
  const fine = valid(a) && valid(b);
  console.log(fine ? semver.compare(a, b, { loose: true }) : '?');
}
";
    filter("node", &["-e", SCRIPT], pairs)
}

fn dpkg(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
chomp; my ($a, $b) = split /\\t/;
my ($x, $y) = map { Dpkg::Version->new($_, check => 1) } ($a, $b);
# dpkg itself refuses an epoch without version; its Perl module does not.
print +(defined $x && defined $y && !/:(\\t|$)/ ? $x <=> $y : '?'), qq(\\n);
";
    filter("perl", &["-MDpkg::Version", "-ne", SCRIPT], pairs)
}

fn ruby(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
STDIN.each_line do |line|
  a, b = line.chomp.split(\"\\t\")
  fine = Gem::Version.correct?(a) && Gem::Version.correct?(b)
  puts fine ? (Gem::Version.new(a) <=> Gem::Version.new(b)) : '?'
end
";
    filter("ruby", &["-e", SCRIPT], pairs)
}

/// PHP's own comparison of the raw texts, without the `v` that Composer drops. A version that ends
/// with a sign is not even equal to itself there.
fn php(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
while (($line = fgets(STDIN)) !== false) {
  [$a, $b] = explode(\"\\t\", rtrim($line, \"\\n\"));
  if (preg_match('/[-_+.](\\t|\\n)|^[vV]*\\t|\\t[vV]*\\n/', $line)) { echo \"?\\n\"; continue; }
  echo version_compare(preg_replace('/^[vV]/', '', $a), preg_replace('/^[vV]/', '', $b)), \"\\n\";
}
";
    filter("php", &["-r", SCRIPT], pairs)
}

/// Composer's own order, which ranges are read by: what its parser makes of both texts, compared as
/// its constraints do. What it refuses, and branches, have no place in it.
fn composer(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const SCRIPT: &str = "
require '/usr/share/php/Composer/Semver/autoload.php';
$parser = new Composer\\Semver\\VersionParser();
while (($line = fgets(STDIN)) !== false) {
  [$a, $b] = explode(\"\\t\", rtrim($line, \"\\n\"));
  try { $a = $parser->normalize($a); $b = $parser->normalize($b); }
  catch (\\UnexpectedValueException $e) { echo \"?\\n\"; continue; }
  $branch = substr($a, 0, 4) === 'dev-' || substr($b, 0, 4) === 'dev-';
  echo $branch ? '?' : version_compare($a, $b), \"\\n\";
}
";
    filter("php", &["-r", SCRIPT], pairs)
}

/// The interpreter inside rpm reads files only.
fn rpm(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    let path = std::env::temp_dir().join(format!("relight-oracle-{}.txt", std::process::id()));
    fs::write(&path, lines(pairs)).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = format!(
        "%{{lua: for line in io.lines(\"{}\") do local a, b = line:match(\"(.*)\\t(.*)\") \
         print(rpm.vercmp(a, b) .. \"\\n\") end}}",
        path.display()
    );
    let output = process::output(Path::new("."), "rpm", &["--eval", &script]);
    // A file that stays behind does no harm.
    let _ = fs::remove_file(&path);
    Ok(answers(&output?))
}

/// Versions that one run of the class is given; it prints the relation of each to the next.
const NEIGHBOURS_MAX: usize = 4_000;

fn maven(pairs: &[(String, String)]) -> Result<Vec<char>, String> {
    const JARS: &str = "/usr/share/java/maven3-artifact.jar:/usr/share/java/commons-lang3.jar";
    const CLASS: &str = "org.apache.maven.artifact.versioning.ComparableVersion";
    let mut verdicts = Vec::new();
    for chunk in pairs.chunks(NEIGHBOURS_MAX / 2) {
        let mut arguments = vec!["-cp", JARS, CLASS];
        arguments.extend(chunk.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]));
        let output = process::output(Path::new("."), "java", &arguments)?;
        // Every second relation is that of a pair: `   1.0 < 1.0.1`.
        let relations = output.lines().filter(|line| line.starts_with("   "));
        for (line, (a, b)) in relations.step_by(2).zip(chunk) {
            let inner = line.trim_start().strip_prefix(a.as_str());
            let sign = inner.and_then(|rest| rest.strip_suffix(b.as_str())).unwrap_or_default();
            verdicts.push(match sign.trim() {
                "<" => '<',
                "==" => '=',
                ">" => '>',
                _ => '?',
            });
        }
    }
    Ok(verdicts)
}
