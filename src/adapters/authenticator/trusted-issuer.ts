/** Whose tokens count, and how they are checked: what the settings say, without any of the token's own wishes. */

/** Keys that the operator has written down. */
export type GivenKey =
  /** `anyStrength`: also one that can be guessed. */
  | { readonly kind: 'secret'; readonly secret: Uint8Array; readonly anyStrength?: boolean }
  /** SPKI or certificate. */
  | { readonly kind: 'public-key'; readonly pem: string };

/** One of several, with the times in which it counts. */
export interface ListedKey {
  readonly kid: string;
  /** The only one that it is used with. */
  readonly algorithm: string;
  readonly key: GivenKey;
  /** From then on. */
  readonly notBefore: Date | null;
  /** Before then. */
  readonly retireAt: Date | null;
}

/** Keys that somebody else publishes, and may change. */
export type FetchedKey =
  | { readonly kind: 'jwks-file'; readonly path: string }
  | { readonly kind: 'jwks-url'; readonly url: string }
  /** OpenID Connect discovery: the issuer's name is the address that says where its keys are. */
  | { readonly kind: 'oidc'; readonly issuer: string };

export type IssuerKey =
  /** `previous`: what signed tokens before, and does not any more. */
  | (Extract<GivenKey, { kind: 'secret' }> & { readonly previous?: Uint8Array })
  | Extract<GivenKey, { kind: 'public-key' }>
  | { readonly kind: 'listed'; readonly keys: readonly ListedKey[] }
  | FetchedKey;

export interface TrustedIssuer {
  /** Compared with `iss` exactly; null stands for tokens that have none. */
  readonly issuer: string | null;
  /** One of them must be in the token's `aud`; never empty. */
  readonly audience: readonly string[];
  /** All of them fit the key; never empty. */
  readonly algorithms: readonly string[];
  readonly key: IssuerKey;
  /** A claim's whole name, or a path with dots: `roles`, `realm_access.roles`, `https://acme.example/roles`. */
  readonly rolesClaim: string;
  readonly subjectClaim: string;
  /** This installation's own secrets: under them only tokens of type `JWT` (or without a type) are for people. */
  readonly own: boolean;
}
