import { prepare } from '#test/setup/prepare.ts';

/** The real clients are among what set-up installs; a test that is run by itself may be the first to need them. */
export async function prepareClients(): Promise<void> {
  await prepare({ log: console.log });
}
