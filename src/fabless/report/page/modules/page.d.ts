/** Types of the page's data and of what the modules hand on. Checked only, never part of the page. */

export type Levels = { cash: number[]; unserved: number[]; risk: number[]; cents: number[]; missing: number[] };

export type LevelsByWay = { [way: string]: Levels };

export type Control = {
  name: string; label: string; unit: string; value: number; low: number; high: number; log: boolean;
  grade: string; source: string; known: string; note: string;
  x: number[]; levels: LevelsByWay;
  flips: { at: number; below: string; above: string }[];
};

/** What one way comes to; the total is cash, unserved demand and risk together. */
export type Answer = { cash: number; unserved: number; risk: number; total: number; cents: number; missing: number };

export type Answers = { [way: string]: Answer };

/** What turns the cost of a query into another unit. */
export type Served = { tokens_per_query: number; queries_per_mw_year: number };

export type Crossed = { names: [string, string]; x: [number[], number[]]; levels: LevelsByWay };

export type Way = {
  key: string; name: string; line: string; said: string; action: string; vendors: string[]; slot: number; first: boolean;
  p10: number; p50: number; p90: number; mean: number;
  total: number; cash: number; unserved: number; risk: number;
  short: number; missing: number; meets: boolean;
  more: number; more_error: number; tie: boolean; same_as: string;
  open: number;
  own: {
    p10: string; p50: string; p90: string; chance: number; stopped: string; stopped_chance: number; programme: string;
  } | null;
  tokens_per_query: number; queries_per_mw_year: number;
  /** Future, its cost of a query, whether it falls short, its tokens a query and queries a MW-year. */
  dots: { f: number; c: number; s: number; t: number; q: number }[];
};

export type Part = { part: string; usd: number; how: string };
export type Pair = { difference: number; error: number; tie: boolean; decides: string; bridge: Part[] };

export type Texts = { [key: string]: string };

/** `costs`: the numbers of the sentence as written, each with the way that it belongs to. */
export type Verdict = { action: string; numbers: string; costs: [string, string][] };

/** What the sentences on the order of the ways are made from: the page, at rest or moved. */
export type Ranked = {
  texts: Texts; ways: Way[]; recommended: string; against: string; pairs: { [pair: string]: Pair };
};

export type PageInput = {
  name: string; label: string; unit: string; value: number; low: number; high: number; grade: string;
  source: string; source_id: string; url: string; known: string; note: string; control: boolean;
  /** Least and most that such a number can be, in its unit; null: no bound. */
  least: number | null; most: number | null;
  /** Why it cannot be moved by itself; empty where it can. */
  fixed: string;
  /** Whether its range is spread by logarithms. */
  log: boolean;
  /** How its news comes, where the case states it; else empty. */
  news: string;
};

export type ByWayAndFuture = { [way: string]: { [future: string]: number } };

export type Page = {
  version: number; lang: string;
  /** On a page that a server sent: name of the case there, level of its answers, job of a better one. */
  server_name?: string; server_detail?: string; server_better?: string;
  /** What is moved already against the case of that name. */
  server_changes?: Changes;
  case: {
    name: string; title: string; as_of: string; digest: string; decision_digest: string; first_quarter: string;
    quarters: number; price_year: number; seed: number; detail: string; leaves: number; paths: number;
    dominant_vendor: string; seeds: number; answer: string;
  };
  recommended: string; against: string;
  ways: Way[];
  pairs: { [pair: string]: Pair };
  controls: Control[];
  crossed: Crossed[];
  check: { points: number; median_error: number; worst_error: number; winners_right: number; leaves: number } | null;
  inputs: PageInput[];
  futures: {
    shown: { key: string; f: number }[]; about: { [future: string]: { demand: string; scarce_until: string } };
    cost: ByWayAndFuture; short: ByWayAndFuture; tokens: ByWayAndFuture; mw: ByWayAndFuture;
    paths: number[];
  };
  tries: { key: string; changes: Changes; text: string }[];
  texts: Texts;
  verdict: Verdict;
  claims: { [key: string]: string };
  question: { queries: string; growth: string; as_of: string };
  [key: string]: any;
};

export type Changes = { [name: string]: number };

export type State = { changes: Changes; unit: string; pair: [string, string]; future: string; tab: string };

export type Store = {
  get(): State;
  /** Change a part of the state. Changes of inputs can be undone; those with one `step` in quick succession together. */
  set(part: Partial<State>, step?: string): void;
  subscribe(listener: (state: State, before: State) => void): () => void;
  undo(): void;
  redo(): void;
  /** Put one input, or all, back to what the case states. */
  reset(name?: string): void;
  canUndo(): boolean;
  canRedo(): boolean;
};

/** Names of numbers of a way that can be those of the case while the rest is new. */
export type WayNumber = "p10" | "p50" | "p90" | "mean" | "total" | "cash" | "unserved" | "risk" | "short" | "missing"
  | "meets" | "more" | "more_error" | "tie" | "same_as" | "own" | "dots";

/** A way as shown: its numbers, those of the case under `base`, and which of its numbers are not new. */
export type WayView = Way & { base: Way; stale: WayNumber[] };

export type ViewLevel = "base" | "rough" | "twelve" | "full" | "beyond";

export type FlipAt = { at: number; below: string; above: string };

export type View = {
  level: ViewLevel;
  /** Ways from the first to the dearest. */
  ways: WayView[];
  recommended: string;
  against: string;
  verdict: Verdict;
  /** Claims below the verdict; those of the case, hence stale, wherever inputs are moved. */
  claims: { [key: string]: string };
  pairs: { [pair: string]: Pair };
  /** Where the winner changes along each control, the other changes held; null where it is not known. */
  flips: { [name: string]: FlipAt[] | null };
  /** Whether pictures and tables that the table of answers does not carry are those of the case though inputs moved. */
  stale: boolean;
  /** Names of moved inputs. */
  moved: string[];
  /** Marked word beside rough numbers ("rough, 3 scenarios"); empty where no number is rough. */
  mark: string;
  /** Text and command line where the page carries no answer. */
  beyond: { text: string; command: string } | null;
};
