/** Questions that wait, where the record takes its time; and turns of requests with one key. */
import { expect, it } from 'vitest';
import type { Step } from '../../../src/core/runbook.ts';
import { createKeyTurns } from '../../../src/server/execution/keys.ts';
import { createQuestions } from '../../../src/server/runs/questions.ts';
import type { Asking, Questions } from '../../../src/server/runs/questions.ts';

const STEP: Step = { name: 'Drain', line: 1, script: null, outputs: [], tty: false };
const runId = '01KB2Z4Q8W9X7V6T5S4R3Q2P1N';
const forEver = new AbortController().signal;

function asking(timeoutMs = 60_000): { readonly questions: Questions; readonly asked: Asking } {
  const questions = createQuestions();
  const asked = questions.open(timeoutMs);
  asked.hear({ type: 'queued', runId, at: '', variables: [], document: '' });
  asked.hear({ type: 'step', runId, step: 1, of: 2, name: 'Drain', phase: 'started' });
  return { questions, asked };
}

it('nobody answers while the answer of somebody else is being recorded', async () => {
  const { questions, asked } = asking();
  const answer = asked.interaction.confirm(STEP, 'Sure?', forEver);
  expect(questions.of(runId)).toEqual({ step: 2, name: 'Drain', kind: 'confirm', text: 'Sure?' });
  const written = Promise.withResolvers<boolean>();
  const first = questions.answer(runId, { step: 2, answer: 'no' }, async () => await written.promise);
  const second = await questions.answer(runId, { step: 2, answer: 'yes' }, async () => true);
  written.resolve(true);
  expect([await first, second, await answer]).toEqual(['taken', 'unasked', false]);
  expect(questions.of(runId)).toBeNull();
});

it('an answer that could not be recorded leaves the question as it was', async () => {
  const { questions, asked } = asking();
  const answer = asked.interaction.confirm(STEP, 'Sure?', forEver);
  const fails = questions.answer(runId, { step: 2, answer: 'yes' }, async () => {
    throw new Error('the disk is full');
  });
  await expect(fails).rejects.toThrow('the disk is full');
  expect(await questions.answer(runId, { step: 2, answer: 'yes' }, async () => false)).toBe('over');
  expect(await questions.answer(runId, { step: 2, answer: 'yes' }, async () => true)).toBe('taken');
  expect(await answer).toBe(true);
});

it('a question is over when its run is, and when its time is', async () => {
  const end = new AbortController();
  const { questions, asked } = asking();
  const answer = asked.interaction.manual(STEP, 'Look.', end.signal);
  end.abort();
  expect([await answer, questions.of(runId)]).toEqual([false, null]);
  const hasty = asking(1);
  expect(await hasty.asked.interaction.confirmTyping(STEP, 'HOST', 'db-3', forEver)).toBe(false);
  expect(hasty.questions.of(runId)).toBeNull();
});

it('an empty value can never be typed', async () => {
  const { questions, asked } = asking();
  const answer = asked.interaction.confirmTyping(STEP, 'HOST', '', forEver);
  const type = async () => await questions.answer(runId, { step: 2, answer: 'yes', typed: '' }, async () => true);
  expect([await type(), await type(), await type()]).toEqual(['wrong', 'wrong', 'last']);
  expect(await answer).toBe(false);
});

it('who has the same key waits for the one before, and nobody else does', async () => {
  const turns = createKeyTurns();
  const holder = { issuer: '', subject: 'anna', key: 'a', since: '' };
  const seen: string[] = [];
  const take = async (name: string, key: string): Promise<() => void> => {
    const end = await turns.take({ ...holder, key });
    seen.push(name);
    return end;
  };
  const first = await take('first', 'a');
  const second = take('second', 'a');
  const third = take('third', 'a');
  (await take('other', 'b'))();
  expect(seen).toEqual(['first', 'other']);
  first();
  first();
  (await second)();
  expect(seen).toEqual(['first', 'other', 'second']);
  (await third)();
  (await take('last', 'a'))();
  expect(seen).toEqual(['first', 'other', 'second', 'third', 'last']);
});
