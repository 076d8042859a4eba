// The words of what failed in one attempt, kept for the failure rules: a bounded number of messages, each cut, and how many
// more there were.
type Words = { readonly message: string; readonly stack?: string | undefined };

const textsMax = 20;
const stackCharsMax = 2_000;
const textCharsMax = 6_000;

export class FailedTexts {
  readonly texts: string[] = [];
  leftOut = 0;

  add(failure: Words | undefined): void {
    if (this.texts.length >= textsMax) this.leftOut += 1;
    else this.texts.push(textOf(failure));
  }
}

/** Message, then the beginning of the stack: where an error's name and cause stand. The end of a stack says where, not why. */
export function textOf(failure: Words | undefined): string {
  if (failure === undefined) return '';
  const { message, stack = '' } = failure;
  return `${message.slice(0, textCharsMax - stackCharsMax)}\n${stack.slice(0, stackCharsMax)}`;
}
