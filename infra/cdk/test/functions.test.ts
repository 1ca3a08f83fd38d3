import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FUNCTIONS } from '../src/config/index.ts';
import { config, configWith, HASH, read, Rendered, shipped } from './support.ts';

function properties(rendered: Rendered, name: string) {
  return rendered.one('AWS::Lambda::Function', 'FunctionName', `perennial-${name}`).Properties;
}

function environment(rendered: Rendered, name: string): Record<string, string> {
  return properties(rendered, name).Environment.Variables;
}

/** Variables that are optional, or set by Lambda itself. */
const OPTIONAL = [
  'ACCOUNTS_DEBOUNCE_SECONDS',
  'AUDIT_DAYS',
  'AWS_SESSION_TOKEN',
  'CLIENT_IP_HEADER',
  'MAX_IN_FLIGHT',
  'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT',
  'PUBLIC_EVENTS_A_SECOND',
  'STATUS_MAX_AGE_SECONDS',
  'SWEEP_LIMIT',
  'WAKE_AFTER_SECONDS',
  'WAKE_PAUSE_SECONDS',
];

/** Optional variables that are set here anyway. */
const GIVEN = ['CONFIGURATION_SET'];

/** The code of a file without its tests. */
function codeOf(file: string): string {
  return read(file).split('#[cfg(test)]')[0] ?? '';
}

/** The environment variables that a function's code reads, by its `config.rs` and the shared readers that it calls, which must all be required there or in OPTIONAL. */
function needed(name: string): string[] {
  const own = codeOf(`functions/${name}/src/config.rs`);
  const shared = [...own.matchAll(/\b([a-z]\w*)::from_env\(/g)].map((match) => codeOf(`shared/lambda-kit/src/${match[1]}.rs`));
  const watched = own.includes('WatchedQueue::all_from_env(') ? [codeOf('shared/lambda-kit/src/queue/depth.rs')] : [];
  const code = [own, ...shared, ...watched].join('\n');
  const keys = [...code.matchAll(/\.(?:required|secret|list)(?:::<[^>]*>)?\(\s*"([A-Z_]+)"/g)].map((match) => match[1] ?? '');
  const optional = [...code.matchAll(/\.optional(?:::<[^(]*>)?\(\s*"([A-Z_]+)"/g)].map((match) => match[1] ?? '');
  for (const key of optional) assert.ok(OPTIONAL.includes(key) || GIVEN.includes(key), `${key} of ${name} is new: say in functions.ts what it is, or here that it may be left out`);
  const queues = [...code.matchAll(/\("[a-z-]+", "([A-Z_]+)"\)/g)].flatMap((match) => [`${match[1]}_QUEUE_URL`, `${match[1]}_DLQ_URL`]);
  return [...keys, ...queues, ...optional.filter((key) => GIVEN.includes(key))].sort();
}

/** The secrets in a configuration file. */
function secretsIn(file: string): string[] {
  return [...read(`infra/config/${file}`).matchAll(/^secret_env = "(\w+)"$/gm)].map((match) => match[1] ?? '');
}

const SECRETS = { ingest: secretsIn('sources.toml'), deliver: secretsIn('channels.toml') };

describe('each function', () => {
  it('is a binary on the newest Amazon Linux, and there is no other', () => {
    const all = shipped.all('AWS::Lambda::Function').map((resource) => resource.Properties);
    assert.deepEqual(all.map((of) => of.FunctionName).sort(), FUNCTIONS.map((name) => `perennial-${name}`).sort());
    for (const of of all) assert.deepEqual([of.Runtime, of.Handler], ['provided.al2023', 'bootstrap']);
  });

  it('has the environment that its code asks for, and its secrets', () => {
    for (const name of FUNCTIONS) {
      const given = Object.keys(environment(shipped, name)).filter((key) => key !== 'SECRETS_REVISION').sort();
      const secrets = name === 'ingest' || name === 'deliver' ? SECRETS[name] : [];
      assert.deepEqual(given, [...needed(name), ...secrets].sort(), name);
    }
  });

  it('logs where logs are deleted after a while', () => {
    for (const name of FUNCTIONS) {
      assert.deepEqual(properties(shipped, name).LoggingConfig, { LogGroup: `<LogGroup /aws/lambda/perennial-${name}>` });
      const group = shipped.one('AWS::Logs::LogGroup', 'LogGroupName', `/aws/lambda/perennial-${name}`);
      assert.equal(group.Properties.RetentionInDays, config.deployment.logDays);
    }
  });

  it('has the memory, the time and the concurrency that deployment.toml gives it', () => {
    const changed = configWith({
      'deployment.toml': () => '[logs]\nretention_days = 7\n[functions.rollup]\nmemory_mb = 1769\ntimeout_seconds = 90\nconcurrency = 12\n',
    });
    const rendered = new Rendered({ config: changed });
    const { MemorySize, Timeout, ReservedConcurrentExecutions } = properties(rendered, 'rollup');
    assert.deepEqual([MemorySize, Timeout, ReservedConcurrentExecutions], [1769, 90, 12]);
    assert.equal(properties(rendered, 'score').ReservedConcurrentExecutions, undefined);
    assert.equal(rendered.one('AWS::Logs::LogGroup', 'LogGroupName', '/aws/lambda/perennial-api').Properties.RetentionInDays, 7);
  });

  it('runs on the processor that the command line names', () => {
    for (const architecture of ['arm64', 'x86_64']) {
      const rendered = new Rendered({ architecture });
      for (const name of FUNCTIONS) assert.deepEqual(properties(rendered, name).Architectures, [architecture]);
    }
  });
});

describe('the environment', () => {
  it('names the queues, the table and the archive of the stage', () => {
    assert.deepEqual(environment(shipped, 'score'), {
      TABLE: '<Table perennial>',
      EVENTS_QUEUE_URL: '<Queue perennial-events>',
      MESSAGES_QUEUE_URL: '<Queue perennial-messages>',
      ESSENTIAL_QUEUE_URL: '<Queue perennial-essential>',
      ACCOUNTS_QUEUE_URL: '<Queue perennial-accounts>',
      ARCHIVE: 's3://<Bucket>/archive',
    });
    const api = environment(shipped, 'api');
    for (const name of ['events', 'incoming', 'imports', 'messages', 'essential', 'accounts', 'mail-events']) {
      const key = name.toUpperCase().replace('-', '_');
      assert.equal(api[`${key}_QUEUE_URL`], `<Queue perennial-${name}>`);
      assert.equal(api[`${key}_DLQ_URL`], `<Queue perennial-${name}-dlq>`);
    }
    assert.equal(api['API_KEY_HASHES'], HASH);
  });

  it('has mails sent with the stage\'s own configuration set', () => {
    assert.equal(environment(shipped, 'deliver')['CONFIGURATION_SET'], config.mail.configurationSet);
    const rendered = new Rendered({ stage: 'dev' });
    const dev = rendered.one('AWS::Lambda::Function', 'FunctionName', 'perennial-dev-deliver').Properties.Environment.Variables;
    assert.equal(dev.CONFIGURATION_SET, `${config.mail.configurationSet}-dev`);
    assert.equal(rendered.all('AWS::SES::ConfigurationSet')[0]?.Properties.Name, dev.CONFIGURATION_SET);
  });

  it('holds secrets by reference only', () => {
    for (const [name, keys] of Object.entries({ ...SECRETS, ingest: [...SECRETS.ingest, 'INBOX_SECRETS'], api: ['UNSUBSCRIBE_KEYS', 'INBOX_SECRETS'] })) {
      for (const key of keys) {
        assert.equal(environment(shipped, name)[key], `{{resolve:secretsmanager:<Secret perennial/${key}>:SecretString:::}}`);
      }
    }
    assert.equal(environment(shipped, 'deliver')['UNSUBSCRIBE_KEYS'], environment(shipped, 'api')['UNSUBSCRIBE_KEYS']);
  });

  it('changes with the revision of the secrets, so that CloudFormation reads them anew', () => {
    const rendered = new Rendered({ secretsRevision: '2026-11-22' });
    for (const name of ['ingest', 'deliver', 'api']) assert.equal(environment(rendered, name)['SECRETS_REVISION'], '2026-11-22');
  });

  it('has unsubscribe links lead to the api, or to where the command line says', () => {
    assert.equal(environment(shipped, 'deliver')['PUBLIC_URL'], '<Url <Function perennial-api>>');
    const rendered = new Rendered({ publicUrl: 'https://mail.example.com/' });
    assert.equal(environment(rendered, 'deliver')['PUBLIC_URL'], 'https://mail.example.com');
  });
});

describe('sign-in to the dashboard', () => {
  const context = { oidcIssuer: 'https://login.example', oidcClientId: 'us', oidcViewers: 'staff, mail:ada@acme.example' };
  const dashboard = (rendered: Rendered) => Object.fromEntries(Object.entries(environment(rendered, 'dashboard')).filter(([key]) => !/_(QUEUE|DLQ)_URL$|^TABLE$/.test(key)));
  const secretsOf = (rendered: Rendered) => rendered.all('AWS::SecretsManager::Secret').map((secret) => secret.Properties.Name).filter((name: string) => /SESSION|OIDC/.test(name));
  const reference = (name: string) => `{{resolve:secretsmanager:<Secret perennial/${name}>:SecretString:::}}`;

  it('needs a provider: without one there is neither a variable nor a secret of it', () => {
    assert.deepEqual(dashboard(shipped), {});
    assert.deepEqual(secretsOf(shipped), []);
  });

  it('has the issuer, the client, the groups and its secrets by reference', () => {
    const rendered = new Rendered(context);
    assert.deepEqual(dashboard(rendered), {
      OIDC_ISSUER: 'https://login.example',
      OIDC_CLIENT_ID: 'us',
      OIDC_VIEWERS: 'staff, mail:ada@acme.example',
      OIDC_CLIENT_SECRET: reference('OIDC_CLIENT_SECRET'),
      SESSION_KEYS: reference('SESSION_KEYS'),
      SECRETS_REVISION: '1',
    });
    assert.deepEqual(secretsOf(rendered).sort(), ['perennial/OIDC_CLIENT_SECRET', 'perennial/SESSION_KEYS']);
  });

  it('passes on what is given, and a public client has no secret', () => {
    const rendered = new Rendered({
      ...context,
      oidcClient: 'public',
      oidcScopes: 'openid groups',
      oidcGroupsClaim: 'realm_access.roles',
      oidcOperators: 'ops',
      oidcAdmins: 'boss',
      sessionHours: '4',
      dashboardUrl: 'https://crm.acme.example/',
      auditDays: '90',
    });
    const { SESSION_KEYS, SECRETS_REVISION, ...rest } = dashboard(rendered);
    assert.deepEqual([SESSION_KEYS, SECRETS_REVISION], [reference('SESSION_KEYS'), '1']);
    assert.deepEqual(rest, {
      AUDIT_DAYS: '90',
      OIDC_ISSUER: 'https://login.example',
      OIDC_CLIENT_ID: 'us',
      OIDC_SCOPES: 'openid groups',
      OIDC_GROUPS_CLAIM: 'realm_access.roles',
      OIDC_VIEWERS: 'staff, mail:ada@acme.example',
      OIDC_OPERATORS: 'ops',
      OIDC_ADMINS: 'boss',
      SESSION_HOURS: '4',
      DASHBOARD_URL: 'https://crm.acme.example',
    });
    assert.deepEqual(secretsOf(rendered), ['perennial/SESSION_KEYS']);
  });

  it('is refused where an option is missing or wrong, which the error names', () => {
    const { oidcIssuer, oidcClientId, oidcViewers } = context;
    for (const [wrong, named] of [
      [{ oidcClientId, oidcViewers }, 'oidcIssuer'],
      [{ sessionHours: '4' }, 'oidcIssuer'],
      [{ oidcIssuer, oidcViewers }, 'oidcClientId'],
      [{ oidcIssuer, oidcClientId }, 'oidcViewers'],
      [{ ...context, oidcIssuer: 'http://login.example' }, 'oidcIssuer'],
      [{ ...context, oidcIssuer: 'login.example' }, 'oidcIssuer'],
      [{ ...context, oidcClient: 'secretless' }, 'oidcClient'],
      [{ ...context, sessionHours: '25' }, 'sessionHours'],
      [{ ...context, dashboardUrl: 'https://acme.example/crm' }, 'dashboardUrl'],
      [{ auditDays: '0' }, 'auditDays'],
    ] as const) {
      assert.throws(() => new Rendered(wrong), new RegExp(`-c ${named}`), JSON.stringify(wrong));
    }
  });
});

describe('function URLs', () => {
  it('are those of ingest, api and dashboard, open to all, and do no CORS of their own', () => {
    const urls = shipped.all('AWS::Lambda::Url').map((resource) => resource.Properties);
    assert.deepEqual(urls.map((url) => url.TargetFunctionArn).sort(), ['<Function perennial-api>', '<Function perennial-dashboard>', '<Function perennial-ingest>']);
    for (const url of urls) assert.deepEqual([url.AuthType, url.Cors], ['NONE', undefined]);
  });

  it('are allowed as AWS asks for it since October 2025: by their own action, and by that of calls through them', () => {
    const allowed = shipped.all('AWS::Lambda::Permission').map(({ Properties: of }) => [of.FunctionName, of.Action, of.Principal, of.InvokedViaFunctionUrl ?? of.FunctionUrlAuthType]);
    assert.deepEqual(allowed.sort(), [
      ['<Function perennial-api>', 'lambda:InvokeFunction', '*', true],
      ['<Function perennial-api>', 'lambda:InvokeFunctionUrl', '*', 'NONE'],
      ['<Function perennial-dashboard>', 'lambda:InvokeFunction', '*', true],
      ['<Function perennial-dashboard>', 'lambda:InvokeFunctionUrl', '*', 'NONE'],
      ['<Function perennial-ingest>', 'lambda:InvokeFunction', '*', true],
      ['<Function perennial-ingest>', 'lambda:InvokeFunctionUrl', '*', 'NONE'],
    ]);
  });
});

describe('secrets', () => {
  it('begin with a random value that nobody knows, and that is also base64', () => {
    const secrets = shipped.all('AWS::SecretsManager::Secret').map((resource) => resource.Properties);
    const names = [...SECRETS.ingest, ...SECRETS.deliver, 'UNSUBSCRIBE_KEYS', 'INBOX_SECRETS'].map((name) => `perennial/${name}`);
    assert.deepEqual(secrets.map((secret) => secret.Name).sort(), names.sort());
    const printable = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n));
    for (const { GenerateSecretString: random, Name } of secrets) {
      const used = printable.filter((character) => !random.ExcludeCharacters.includes(character)).join('');
      assert.match(used, /^[0-9]{10}[A-Z]{26}[a-z]{26}$/, Name);
      assert.deepEqual([random.PasswordLength, random.IncludeSpace], [64, undefined]);
    }
  });

  it('that channels.toml names come through the extension, which only deliver has, and only then', () => {
    const layers = (rendered: Rendered) => FUNCTIONS.filter((name) => properties(rendered, name).Layers !== undefined);
    assert.deepEqual(layers(shipped), []);
    const changed = configWith({ 'channels.toml': (text) => text.replace('secret_env = "CRM_WEBHOOK_SECRET"', 'secret = "perennial/crm"') });
    const rendered = new Rendered({ config: changed });
    assert.deepEqual(layers(rendered), ['deliver']);
    assert.equal(environment(rendered, 'deliver')['CRM_WEBHOOK_SECRET'], undefined);
    assert.ok(!rendered.all('AWS::SecretsManager::Secret').some((secret) => secret.Properties.Name === 'perennial/CRM_WEBHOOK_SECRET'));
  });
});
