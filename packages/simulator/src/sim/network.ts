// Links between agents and the coordinator. One direction of a link is a pipe: frames take their time and keep their order,
// as over TCP. What can go wrong with it: frames stall and come all at once (a partition that heals), the link is cut with
// the last of the frames under way lost, each end hears of its end at its own time or never (half open), a frame comes
// twice, is swallowed, or overtakes another (no TCP does that; the protocol has to notice it all the same).
import type { Random } from './random.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** What one end hears. */
export type LinkEars = { frame(text: string): void; closed(reason: string): void };
export type DialEars = LinkEars & { opened(): void; failed(code: string | null, message: string): void };
/** What one end can do. */
export type LinkEnd = { send(text: string): void; close(): void };

/** How the network is now; faults change it. */
export type Weather = {
  delayMinMs: number;
  delayMaxMs: number;
  /** Probabilities of one frame from an agent. */
  duplicate: number;
  swallow: number;
  overtake: number;
};
export const fairWeather: Weather = { delayMinMs: 1, delayMaxMs: 5, duplicate: 0, swallow: 0, overtake: 0 };

type Host = { readonly name: string; stalledUntilMs: number };
type Listener = { process: SimProcess; accept: (end: LinkEnd, from: string) => LinkEars };

export class Network {
  weather: Weather = fairWeather;
  readonly #world: World;
  readonly #random: Random;
  readonly #hosts = new Map<string, Host>();
  #listener: Listener | null = null;
  readonly #links = new Set<Link>();

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  listen(process: SimProcess, accept: Listener['accept']): void {
    this.#listener = { process, accept };
  }

  /** An agent dials. Ears are told once of `opened` or `failed`, and of `closed` after `opened`. */
  dial(process: SimProcess, host: string, ears: DialEars): LinkEnd {
    const link = new Link(this.#world, this.#random, this, this.#host(host), process, ears);
    this.#links.add(link);
    link.dial(() => this.#listener);
    return link.agentEnd;
  }

  forget(link: Link): void {
    this.#links.delete(link);
  }

  /** Nothing goes through between this agent and the coordinator for a while; what was sent comes afterwards. */
  stall(host: string, forMs: number): void {
    const stalled = this.#host(host);
    stalled.stalledUntilMs = Math.max(stalled.stalledUntilMs, this.#world.nowMs + forMs);
  }

  /** Cuts the links of an agent. An end that is not to know gets null. */
  cut(host: string, agentHearsMs: number | null, serverHearsMs: number | null): number {
    const links = [...this.#links].filter((link) => link.host.name === host);
    for (const link of links) link.cut(agentHearsMs, serverHearsMs);
    return links.length;
  }

  /** A process died with its machine still there: its sockets are closed for it. */
  processDied(process: SimProcess, isMachineGone: boolean): void {
    for (const link of [...this.#links]) link.processDied(process, isMachineGone);
    if (this.#listener?.process === process) this.#listener = null;
  }

  #host(name: string): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) this.#hosts.set(name, (host = { name, stalledUntilMs: 0 }));
    return host;
  }
}

type ServerEnd = { process: SimProcess; ears: LinkEars; isClosed: boolean };

/** One direction. */
class Pipe {
  isBroken = false;
  #lastAtMs = 0;
  readonly #underWay: { cancel: () => void; isDelivered: boolean }[] = [];
  readonly #world: World;
  readonly #host: Host;
  readonly #network: Network;
  readonly #random: Random;

  constructor(world: World, random: Random, network: Network, host: Host) {
    this.#world = world;
    this.#random = random;
    this.#network = network;
    this.#host = host;
  }

  /** Delivers after what is under way, or not at all once the pipe is broken. `isLoose`: the weather plays with it. */
  carry(deliver: () => void, isLoose: boolean): void {
    if (this.isBroken) return;
    const { weather } = this.#network;
    if (isLoose && this.#random.chance(weather.swallow))
      return this.#world.trace('network', `swallows a frame of ${this.#host.name}`);
    const isOvertaking = isLoose && this.#random.chance(weather.overtake);
    this.#plan(deliver, isOvertaking);
    if (isLoose && this.#random.chance(weather.duplicate)) {
      this.#world.trace('network', `doubles a frame of ${this.#host.name}`);
      this.#plan(deliver, false);
    }
  }

  /** Loses the last of what is under way, and everything after it. */
  break(): void {
    this.isBroken = true;
    const open = this.#underWay.filter((frame) => !frame.isDelivered);
    for (const frame of open.slice(this.#random.int(0, open.length))) frame.cancel();
  }

  #plan(deliver: () => void, isOvertaking: boolean): void {
    const { delayMinMs, delayMaxMs } = this.#network.weather;
    const { nowMs } = this.#world;
    const earliestMs = Math.max(nowMs + this.#random.skewed(delayMinMs, delayMaxMs), this.#host.stalledUntilMs);
    const atMs = isOvertaking ? Math.max(nowMs, this.#host.stalledUntilMs) : Math.max(earliestMs, this.#lastAtMs);
    this.#lastAtMs = Math.max(atMs, this.#lastAtMs);
    const frame = { cancel: () => undefined as void, isDelivered: false };
    const arrive = (): void => {
      // A partition that began meanwhile holds it up.
      if (this.#host.stalledUntilMs > this.#world.nowMs) {
        const laterMs = this.#host.stalledUntilMs - this.#world.nowMs;
        this.#lastAtMs = Math.max(this.#lastAtMs, this.#host.stalledUntilMs);
        frame.cancel = this.#world.after(laterMs, arrive);
        return;
      }
      frame.isDelivered = true;
      this.#underWay.splice(this.#underWay.indexOf(frame), 1);
      deliver();
    };
    frame.cancel = this.#world.after(atMs - nowMs, arrive);
    this.#underWay.push(frame);
  }
}

class Link {
  readonly host: Host;
  readonly agentEnd: LinkEnd;
  readonly #world: World;
  readonly #network: Network;
  readonly #agent: SimProcess;
  readonly #agentEars: DialEars;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #server: ServerEnd | null = null;
  #agentState: 'dialing' | 'open' | 'closed' = 'dialing';

  constructor(world: World, random: Random, network: Network, host: Host, agent: SimProcess, ears: DialEars) {
    this.#world = world;
    this.#network = network;
    this.host = host;
    this.#agent = agent;
    this.#agentEars = ears;
    this.#up = new Pipe(world, random, network, host);
    this.#down = new Pipe(world, random, network, host);
    this.agentEnd = {
      send: (text) => {
        if (this.#agentState === 'open') this.#up.carry(() => this.#toServer(text), true);
      },
      close: () => this.#closeAgent(),
    };
  }

  dial(listener: () => Listener | null): void {
    this.#up.carry(() => {
      const found = listener();
      if (found === null) {
        this.#down.carry(() => this.#failed(), false);
        return;
      }
      const server = { process: found.process, isClosed: false } as ServerEnd;
      this.#server = server;
      const end: LinkEnd = {
        send: (text) => {
          if (!server.isClosed) this.#down.carry(() => this.#toAgent(text), false);
        },
        close: () => this.#closeServer(),
      };
      this.#down.carry(() => this.#opened(), false);
      server.ears = found.accept(end, this.host.name);
    }, false);
  }

  cut(agentHearsMs: number | null, serverHearsMs: number | null): void {
    this.#up.break();
    this.#down.break();
    this.#network.forget(this);
    if (agentHearsMs !== null) this.#world.after(agentHearsMs, () => this.#agentGone('connection reset'));
    if (serverHearsMs !== null) this.#world.after(serverHearsMs, () => this.#serverGone('connection reset'));
  }

  processDied(process: SimProcess, isMachineGone: boolean): void {
    if (process === this.#agent) {
      this.#agentState = 'closed';
      if (isMachineGone) this.cut(null, null);
      else this.#up.carry(() => this.#serverGone('the agent hung up'), false);
    } else if (process === this.#server?.process) {
      this.#server.isClosed = true;
      if (isMachineGone) this.cut(null, null);
      else this.#down.carry(() => this.#agentGone('the coordinator hung up'), false);
    }
  }

  #closeAgent(): void {
    if (this.#agentState === 'closed') return;
    this.#agentState = 'closed';
    this.#up.carry(() => this.#serverGone('closed'), false);
  }

  #closeServer(): void {
    const server = this.#server;
    if (server === null || server.isClosed) return;
    server.isClosed = true;
    this.#network.forget(this);
    this.#down.carry(() => this.#agentGone('closed by the coordinator'), false);
    // The route hears of the end of its own link as of any other.
    if (server.process.isAlive) server.process.after(0, () => server.ears.closed('closed'));
  }

  #opened(): void {
    if (this.#agentState !== 'dialing') return;
    this.#agent.arrive(() => {
      if (this.#agentState !== 'dialing') return;
      this.#agentState = 'open';
      this.#agentEars.opened();
    });
  }

  #failed(): void {
    this.#network.forget(this);
    this.#agent.arrive(() => {
      if (this.#agentState !== 'dialing') return;
      this.#agentState = 'closed';
      this.#agentEars.failed(null, 'connection refused');
    });
  }

  #toServer(text: string): void {
    const server = this.#server;
    if (server === null || server.isClosed) return;
    server.process.arrive(() => {
      if (!server.isClosed) server.ears.frame(text);
    });
  }

  #toAgent(text: string): void {
    this.#agent.arrive(() => {
      if (this.#agentState === 'open') this.#agentEars.frame(text);
    });
  }

  #agentGone(reason: string): void {
    this.#network.forget(this);
    this.#agent.arrive(() => {
      const was = this.#agentState;
      if (was === 'closed') return;
      this.#agentState = 'closed';
      if (was === 'open') this.#agentEars.closed(reason);
      else this.#agentEars.failed(null, reason);
    });
  }

  #serverGone(reason: string): void {
    this.#network.forget(this);
    const server = this.#server;
    if (server === null || server.isClosed) return;
    server.process.arrive(() => {
      if (server.isClosed) return;
      server.isClosed = true;
      server.ears.closed(reason);
    });
  }
}
