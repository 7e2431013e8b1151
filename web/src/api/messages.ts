import type { Schemas } from "./client";

export type Message = Schemas["Message"];
