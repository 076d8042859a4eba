// A profile held against what a project needs: what is there, what is missing, what could not be found out, each with the
// remedy that a person can type. Pure; `assay doctor` prints it.
//
// Missing and unknown are never mixed: an absent field with an entry in `unknown` is unknown, and its remedy is to mend
// the tool that did not answer.
import type { Profile } from '@assay/protocol';

export type ProjectNeed =
  | { kind: 'runtime'; name: string; versionMin?: string }
  /** A runner that the machine has to have (pytest). */
  | { kind: 'runner'; name: string; versionMin?: string }
  /** A runner among the project's own packages; `versionFound` is what is installed there. */
  | { kind: 'projectRunner'; name: string; versionFound?: string; install: string }
  | { kind: 'browser'; name: string; versionMin?: string }
  | { kind: 'driver'; name: string }
  | { kind: 'cpu'; countMin?: number; isa?: string[] }
  | { kind: 'memory'; memoryMiBMin: number }
  | { kind: 'gpu'; vendor?: string; memoryMiBMin?: number };

export type Finding = { kind: 'ok' | 'missing' | 'unknown'; what: string; remedy: string };

/** One finding or more for every need, in order, and then one for every field that could not be measured and that no need asked for. */
export function diagnose(profile: Profile, needs: ProjectNeed[]): Finding[] {
  const findings = needs.flatMap((need) => findingsOf(profile, need));
  const asked = new Set(needs.flatMap(fieldsOf));
  const rest = profile.unknown.filter((entry) => !asked.has(entry.field));
  return [...findings, ...rest.map((entry) => unknown(entry.field, entry.reason))];
}

function fieldsOf(need: ProjectNeed): string[] {
  switch (need.kind) {
    case 'runtime':
      return [`runtimes.${need.name}`];
    case 'runner':
      return [`runners.${need.name}`, `runtimes.${runtimeOf(need.name)}`];
    case 'projectRunner':
      return [];
    case 'browser':
      return [`browsers.${need.name}`];
    case 'driver':
      return [`drivers.${need.name}`];
    case 'cpu':
      return ['cpu', 'cpu.count', 'cpu.isa'];
    case 'memory':
      return ['memory.totalMiB', 'memory.limitMiB'];
    case 'gpu':
      return ['gpus', 'gpus.memoryMiB'];
  }
}

function findingsOf(profile: Profile, need: ProjectNeed): Finding[] {
  switch (need.kind) {
    case 'runtime':
      return [installed(profile, need.name, profile.runtimes[need.name], need)];
    case 'runner':
      return [runnerFinding(profile, need)];
    case 'projectRunner':
      if (need.versionFound !== undefined) return [ok(`${need.name} ${need.versionFound} of the project`)];
      return [missing(`${need.name} is not installed in the project`, need.install)];
    case 'browser':
      return [
        installed(profile, need.name, newest(profile.browsers.filter((entry) => entry.name === need.name)), need),
      ];
    case 'driver':
      return [installed(profile, need.name, profile.drivers[need.name], need)];
    case 'cpu':
      return cpuFindings(profile, need);
    case 'memory':
      return [memoryFinding(profile, need.memoryMiBMin)];
    case 'gpu':
      return [gpuFinding(profile, need)];
  }
}

type Tool = { version: string; path?: string | undefined };

function installed(
  profile: Profile,
  name: string,
  tool: Tool | undefined,
  need: ProjectNeed & { name: string; versionMin?: string },
): Finding {
  const reason = reasonFor(profile, fieldsOf(need));
  if (!tool && reason !== undefined) return unknown(name, reason);
  if (!tool) return missing(`${name} is not installed`, installRemedy(profile, name));
  const place = `${name} ${tool.version}${tool.path === undefined ? '' : ` at ${tool.path}`}`;
  if (need.versionMin !== undefined && compareVersions(tool.version, need.versionMin) < 0) {
    return missing(`${place} is older than ${need.versionMin}`, installRemedy(profile, name));
  }
  return ok(place);
}

function runnerFinding(profile: Profile, need: Extract<ProjectNeed, { kind: 'runner' }>): Finding {
  const runner = profile.runners[need.name];
  const runtimeName = runtimeOf(need.name);
  const runtime = profile.runtimes[runtimeName];
  const reason = reasonFor(profile, fieldsOf(need));
  if (runner || !runtime || reason !== undefined) return installed(profile, need.name, runner, need);
  const where = runtimeName === 'python' ? 'python3' : runtimeName;
  const remedy = installRemedy(profile, need.name, runtime.path);
  return missing(
    `${need.name} not found for ${where}${runtime.path === undefined ? '' : ` at ${runtime.path}`}`,
    remedy,
  );
}

function runtimeOf(runner: string): string {
  return runner === 'pytest' ? 'python' : runner;
}

function cpuFindings(profile: Profile, need: Extract<ProjectNeed, { kind: 'cpu' }>): Finding[] {
  const findings: Finding[] = [];
  const { count, isa, quotaCores, logicalCount } = profile.cpu;
  if (need.countMin !== undefined) {
    if (count === undefined)
      findings.push(unknown('the number of processors', reasonFor(profile, fieldsOf(need)) ?? 'not measured'));
    else if (count >= need.countMin) findings.push(ok(`${count} processors`));
    else {
      const cause =
        quotaCores === undefined ? '' : ` (a cgroup quota of ${quotaCores} on ${logicalCount ?? '?'} processors)`;
      const remedy =
        quotaCores === undefined ? 'use a machine with more processors' : "raise the container's CPU limit";
      findings.push(missing(`${count} of ${need.countMin} processors${cause}`, remedy));
    }
  }
  for (const name of need.isa ?? []) {
    if (isa === undefined)
      findings.push(unknown(`instruction set ${name}`, reasonFor(profile, fieldsOf(need)) ?? 'not measured'));
    else if (isa.includes(name)) findings.push(ok(`instruction set ${name}`));
    else
      findings.push(missing(`instruction set ${name}`, "use another machine, or pass the host's CPU model to this VM"));
  }
  return findings;
}

function memoryFinding(profile: Profile, memoryMiBMin: number): Finding {
  const { limitMiB, totalMiB } = profile.memory;
  if (limitMiB === undefined) {
    return unknown('memory', reasonFor(profile, ['memory.totalMiB', 'memory.limitMiB']) ?? 'not measured');
  }
  if (limitMiB >= memoryMiBMin) return ok(`${limitMiB} MiB of memory`);
  const isCapped = totalMiB !== undefined && totalMiB > limitMiB;
  const remedy =
    isCapped && totalMiB >= memoryMiBMin ? "raise the container's memory limit" : 'use a machine with more memory';
  return missing(
    `${limitMiB} of ${memoryMiBMin} MiB of memory${isCapped ? ` (a cgroup limit; the machine has ${totalMiB})` : ''}`,
    remedy,
  );
}

function gpuFinding(profile: Profile, need: Extract<ProjectNeed, { kind: 'gpu' }>): Finding {
  const what = [need.vendor, 'GPU', need.memoryMiBMin === undefined ? undefined : `with ${need.memoryMiBMin} MiB`]
    .filter(Boolean)
    .join(' ');
  const candidates = (profile.gpus ?? []).filter((gpu) => need.vendor === undefined || gpu.vendor === need.vendor);
  const memoryMin = need.memoryMiBMin;
  const fit = candidates.find(
    (gpu) => memoryMin === undefined || (gpu.memoryMiB !== undefined && gpu.memoryMiB >= memoryMin),
  );
  if (fit)
    return ok(`${fit.model ?? fit.pciId ?? fit.vendor}${fit.memoryMiB === undefined ? '' : `, ${fit.memoryMiB} MiB`}`);
  const reason = reasonFor(profile, fieldsOf(need));
  if (reason !== undefined) return unknown(what, reason);
  const silent = candidates.find((gpu) => gpu.memoryMiB === undefined);
  if (silent && memoryMin !== undefined)
    return unknown(what, `${silent.model ?? silent.pciId ?? silent.vendor} does not say how much memory it has`);
  return missing(
    what,
    'use a machine that has one; in a container, pass the device to it (docker run --gpus all, --device /dev/dri)',
  );
}

function reasonFor(profile: Profile, fields: string[]): string | undefined {
  return profile.unknown.find((entry) => fields.includes(entry.field))?.reason;
}

/** What to type, by operating system; the first words are the package's usual name there. */
function installRemedy(profile: Profile, name: string, runtimePath?: string): string {
  if (name === 'pytest') {
    const pip = `${runtimePath ?? 'python3'} -m pip install pytest`;
    return isDebian(profile) ? `${pip} or apt-get install python3-pytest` : pip;
  }
  const known = packages[name];
  if (isDebian(profile) && known?.apt) return `apt-get install ${known.apt}`;
  if (profile.os.family === 'darwin' && known?.brew) return `brew install ${known.brew}`;
  if (profile.os.family === 'windows' && known?.winget) return `winget install ${known.winget}`;
  return `install ${name} and put it on the PATH of the agent`;
}

function isDebian(profile: Profile): boolean {
  return profile.os.name === 'debian' || profile.os.name === 'ubuntu';
}

const packages: Record<string, { apt?: string; brew?: string; winget?: string }> = {
  node: { apt: 'nodejs', brew: 'node', winget: 'OpenJS.NodeJS.LTS' },
  python: { apt: 'python3', brew: 'python', winget: 'Python.Python.3.13' },
  java: { apt: 'default-jre-headless', brew: 'openjdk', winget: 'EclipseAdoptium.Temurin.21.JDK' },
  go: { apt: 'golang-go', brew: 'go', winget: 'GoLang.Go' },
  ruby: { apt: 'ruby', brew: 'ruby' },
  deno: { brew: 'deno', winget: 'DenoLand.Deno' },
  bun: { brew: 'bun', winget: 'Oven-sh.Bun' },
  chromium: { apt: 'chromium', brew: '--cask chromium' },
  firefox: { apt: 'firefox-esr', brew: '--cask firefox', winget: 'Mozilla.Firefox' },
  chrome: { brew: '--cask google-chrome', winget: 'Google.Chrome' },
  webkit: { apt: 'webkit2gtk-driver' },
  chromedriver: { apt: 'chromium-driver', brew: '--cask chromedriver' },
  WebKitWebDriver: { apt: 'webkit2gtk-driver' },
};

function newest<Entry extends Tool>(entries: Entry[]): Entry | undefined {
  return entries.toSorted((a, b) => compareVersions(b.version, a.version))[0];
}

/** By the numbers, left to right; a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => (version.match(/\d+/g) ?? []).map(Number));
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  for (let index = 0; index < length; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function ok(what: string): Finding {
  return { kind: 'ok', what, remedy: '' };
}

function missing(what: string, remedy: string): Finding {
  return { kind: 'missing', what, remedy };
}

function unknown(what: string, reason: string): Finding {
  return { kind: 'unknown', what, remedy: `mend what did not answer: ${reason}` };
}
