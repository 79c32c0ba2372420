/** Whose tokens count, and how they are checked: what the settings say, without any of the token's own wishes. */

export type IssuerKey =
  /** `anyStrength`: also one that can be guessed. */
  | { readonly kind: 'secret'; readonly secret: Uint8Array; readonly anyStrength?: boolean }
  /** SPKI or certificate. */
  | { readonly kind: 'public-key'; readonly pem: string }
  | { readonly kind: 'jwks-file'; readonly path: string }
  | { readonly kind: 'jwks-url'; readonly url: string };

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
  /** This installation's own secret: only tokens of type `JWT` (or without a type) are for people. */
  readonly own: boolean;
}
