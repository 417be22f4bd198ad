import { describe } from 'vitest';
import { describeDeleting } from './contract/deleting.ts';
import { type Contracted, groundOf } from './contract/ground.ts';
import { describeReading } from './contract/reading.ts';
import { describeSchemas } from './contract/schemas.ts';
import { describeWriting } from './contract/writing.ts';

/**
 * What our controller and the lab rely on in a Kubernetes API, as tests against any server. The stand-in of the lab and a real
 * kube-apiserver run the same ones, so that the stand-in cannot drift.
 */
export function describeContract(name: string, connect: () => Contracted): void {
  describe(name, () => {
    const ground = groundOf(connect);
    describeWriting(ground);
    describeDeleting(ground);
    describeReading(ground);
    describeSchemas(ground);
  });
}
