// A certificate authority of one run, and its certificate for this machine. The policies of queues, topics and buckets reject calls without TLS.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.mjs';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Creates them in `directory`, and returns the paths of the authority's certificate, and of the machine's with its key. */
export async function certify(directory) {
  const file = (name) => join(directory, name);
  const openssl = (...args) => run('openssl', args, { cwd: directory });
  await writeFile(file('ca.cnf'), '[req]\ndistinguished_name=name\nx509_extensions=ca\n[name]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n');
  await openssl('req', '-x509', '-config', 'ca.cnf', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Perennial deploy test');
  // An authority's own certificate is not taken for a server's by rustls.
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n';
  await writeFile(file('server.ext'), names);
  await openssl('req', '-config', 'ca.cnf', ...KEY, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '1', '-days', '2', '-extfile', 'server.ext', '-out', 'server.pem');
  return { authority: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
}
