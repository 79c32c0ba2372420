/** The shapes of what is done to runs and to the server over HTTP. */
import { Type } from 'typebox';

/** Read by itself: it may be left out. */
export const CancelBody = Type.Unknown({ description: '`{"reason": "wrong host"}`; may be left out' });

export const ConfirmBody = Type.Object(
  {
    step: Type.Integer({ minimum: 1, description: 'Of the question; counts from 1' }),
    answer: Type.Union([Type.Literal('yes'), Type.Literal('no')]),
    typed: Type.Optional(Type.String({ maxLength: 1024 ** 2, description: 'Where a value is to be typed' })),
  },
  { title: 'Confirmation', additionalProperties: false },
);

export const Confirmed = Type.Object(
  { run_id: Type.String(), step: Type.Integer(), answer: Type.Union([Type.Literal('yes'), Type.Literal('no')]) },
  { title: 'Confirmed' },
);

export const PauseBody = Type.Object(
  { reason: Type.String({ description: 'In a few words; others will read it' }) },
  { title: 'PauseWish', additionalProperties: false },
);

export const Paused = Type.Object(
  {
    paused: Type.Union([
      Type.Object({
        since: Type.String(),
        by: Type.Union([Type.String(), Type.Null()]),
        reason: Type.Union([Type.String(), Type.Null()]),
      }),
      Type.Null(),
    ]),
  },
  { title: 'Paused', description: 'Null: runs begin' },
);
