// Commands against a coordinator whose certificate a private authority signed: refused without it, answered with --ca.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ProjectUnderTest } from './assay-process.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const canSkip = !hasOpenssl && process.env['ASSAY_REQUIRE_ALL'] !== '1';

// Skipped where openssl is not installed: nothing else here can make a certificate.
test.skipIf(canSkip)(
  `--ca trusts a private authority${canSkip ? ' (skipped: openssl is not installed)' : ''}`,
  async () => {
    const project = new ProjectUnderTest({});
    const file = (name: string): string => join(project.path, name);
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', file('key.pem'), '-out', file('cert.pem')];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...files], { stdio: 'ignore' });
    writeFileSync(file('other.pem'), 'no certificate\n');
    const up = project.start(['up', '--port', '0', '--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')]);
    try {
      const url = await listening(up.stderr);
      const token = (
        await project.assay('token', 'create', '--scope', 'read', '--name', 'reader', '--ca', file('cert.pem'))
      ).stdout.trim();
      const asked = ['workers', '--json', '--coordinator', url, '--token', token];
      const workers = async (...more: string[]) => project.assay(...asked, ...more);
      const without = await workers();
      expect(without).toMatchObject({ code: 4, stderr: expect.stringContaining('SELF_SIGNED') });
      const withIt = await workers('--ca', file('cert.pem'));
      expect(withIt).toMatchObject({ code: 0 });
      expect(JSON.parse(withIt.stdout)).toEqual([]);
      expect(await workers('--ca', file('absent.pem'))).toMatchObject({ code: 2 });
      expect(await workers('--ca', file('other.pem'))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no certificate'),
      });
    } finally {
      up.child.kill('SIGTERM');
      expect(await up.ended).toMatchObject({ code: 0 });
      project.close();
    }
  },
  120_000,
);

/** Where the coordinator says that it listens; bounded. */
async function listening(stderr: () => string): Promise<string> {
  const until = Date.now() + 60_000;
  for (;;) {
    const url = /assay coordinator at (https:\S+)/.exec(stderr())?.[1];
    if (url !== undefined) return url;
    if (Date.now() > until) throw new Error(`it did not start:\n${stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
