/** A stage's template, and ways to read it. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Config, readConfig } from '../src/config/index.ts';
import { readOptions } from '../src/options.ts';
import { PerennialStack } from '../src/perennial-stack.ts';

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../../..');
/** A SHA-256 hash without a known input. */
export const HASH = '0'.repeat(64);

/** The directory that tests write to; deleted when they end. */
const SCRATCH = mkdtempSync(join(tmpdir(), 'perennial-cdk-'));
process.on('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

/** A new directory, for this run only. */
export function scratch(name: string): string {
  return mkdtempSync(join(SCRATCH, `${name}-`));
}

/** The shipped configuration. */
export const config: Config = readConfig(join(ROOT, 'infra/config'));

/** A file of the repository. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A copy of the shipped configuration with `edits` (a file's name to a function of its text). */
export function configWith(edits: Record<string, (text: string) => string> = {}): string {
  const directory = scratch('config');
  cpSync(join(ROOT, 'infra/config'), directory, { recursive: true });
  for (const [name, edit] of Object.entries(edits)) {
    const path = join(directory, name);
    const before = readFileSync(path, 'utf8');
    const after = edit(before);
    if (after === before) throw new Error(`the edit changes nothing in ${name}`);
    writeFileSync(path, after);
  }
  return directory;
}

/** The stack that the command line and the config make. */
export function stack(context: Record<string, string> = {}): PerennialStack {
  const app = new App({ outdir: scratch('out'), context: { packages: 'placeholder', apiKeyHashes: HASH, ...context } });
  const options = readOptions(app.node);
  return new PerennialStack(app, options.prefix, { options, config: readConfig(options.configDirectory) });
}

/** A resource as the template has it. */
export interface Resource {
  readonly Type: string;
  /** As deep as CloudFormation has it. */
  readonly Properties: any;
  readonly DependsOn?: string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A template whose references read as names. */
export class Rendered {
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, { Value: unknown }>>;
  readonly text: string;

  constructor(context: Record<string, string> = {}) {
    const json = Template.fromStack(stack(context)).toJSON();
    this.resources = json['Resources'];
    this.outputs = json['Outputs'];
    this.text = JSON.stringify(json, undefined, 1);
  }

  /** All resources of a type, in the template's order, each as its properties with references as names. */
  all(type: string): Resource[] {
    return Object.values(this.resources)
      .filter((resource) => resource.Type === type)
      .map((resource) => ({ ...resource, Properties: this.named(resource.Properties) }));
  }

  /** The properties of the one resource of a type that has `value` as its `property`. */
  one(type: string, property: string, value: string): Resource {
    const found = this.all(type).filter((resource) => resource.Properties[property] === value);
    const [only] = found;
    if (!only || found.length > 1) throw new Error(`${found.length} ${type} with ${property} ${value}`);
    return only;
  }

  /** `value` with each reference replaced by `<its target>`, for any attribute, and joined texts as texts. */
  named(value: unknown): any {
    if (Array.isArray(value)) return value.map((item) => this.named(item));
    if (typeof value !== 'object' || value === null) return value;
    const object = value as Record<string, unknown>;
    if ('Ref' in object) return this.name(String(object['Ref']));
    if ('Fn::GetAtt' in object) return this.name(String((object['Fn::GetAtt'] as string[])[0]));
    if ('Fn::Join' in object) return (this.named((object['Fn::Join'] as [string, unknown[]])[1]) as string[]).join('');
    return Object.fromEntries(Object.entries(object).map(([key, part]) => [key, this.named(part)]));
  }

  private name(id: string): string {
    const resource = this.resources[id];
    if (!resource) return `<${id.replace('AWS::', '')}>`;
    const properties = resource.Properties;
    const name = ['QueueName', 'TableName', 'FunctionName', 'TopicName', 'LogGroupName', 'Name']
      .map((key) => properties[key])
      .find((name) => typeof name === 'string');
    const kind = resource.Type.split('::').at(-1);
    // The function behind a URL, and the role of a function, have no name of their own.
    return `<${kind} ${name ?? (properties['TargetFunctionArn'] ? this.named(properties['TargetFunctionArn']) : '')}>`.replace(' >', '>');
  }
}

/** The template that the shipped config makes. */
export const shipped = new Rendered();
