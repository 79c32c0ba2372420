/** Who vouches for a run that took place elsewhere: nobody here has seen it. Part of `run.ts`. */

export interface Attestation {
  /** Subject of the token that it was reported with. */
  readonly by: string;
  /** Of that token; null where it names none. */
  readonly issuer: string | null;
  /** When it was entered here, ISO 8601. */
  readonly at: string;
  /** Where the report came from, as it was seen here: an address. */
  readonly host: string;
  /** The text of its document did not come along; not there where it did, or where there was none. */
  readonly withoutDocument?: true;
}
