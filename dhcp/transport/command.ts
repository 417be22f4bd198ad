import { spawn } from 'node:child_process';
import { TransportError } from './transport.ts';

/** Runs a program to its end with `input` on its standard input. @throws TransportError with what it complained about. */
export function runCommand(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.on('error', (error) => reject(new TransportError(`${program}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new TransportError(`${program} ${args.join(' ')}: ${complaint.trim().split('\n')[0] || `exit ${code}`}`),
        );
    });
    // A program that ends early closes its input; its exit code says what matters.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** `ip`, inside a network namespace when one is named. */
export function ip(netns: string | undefined, args: readonly string[], input?: string): Promise<string> {
  return runCommand('ip', netns === undefined ? args : ['-n', netns, ...args], input);
}
