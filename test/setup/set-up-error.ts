/** Something the user has to change before the lab can run; the message is one line that says what to do. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError';
}
