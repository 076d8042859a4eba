// Damage found in the journal, without the vocabulary: threads that import nothing heavy throw it, and the adapter turns it
// into JOURNAL_CORRUPT.

export class JournalDamage extends Error {
  override readonly name = 'JournalDamage';
}
