"""Train the two networks, on the CPU.

    python train.py --data <Kodak folder>                  # both, one after the other
    python train.py --data <Kodak folder> --id loom-x2     # one of them

Luma, residual to cubic interpolation, L1 then MSE, warm-up and cosine decay, an
exponential average of the weights. Convolutions run in bfloat16 until the last part.
Stops and resumes: everything is in out/<id>/last.pt. The checkpoint is chosen on
Kodak pictures that are kept out of training; the benchmark sets are never read.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
import model as net

HERE = Path(__file__).resolve().parent


class Pool:
    """Low-resolution luma padded by 2, and the high-resolution residual to the cubic base."""

    def __init__(self, path):
        stored = np.load(path)
        base = torch.from_numpy(net.cubic_base())
        low, high = stored["low"], stored["high"]
        self.low, self.residual, at = [], [], 0
        for h, w in stored["shapes"]:
            n = int(h) * int(w)
            y = low[at : at + n].reshape(1, 1, h, w) * np.float32(1 / 255)
            padded = F.pad(torch.from_numpy(y), (2, 2, 2, 2), mode="replicate")
            cubic = F.pixel_shuffle(F.conv2d(padded, base), 2)[0, 0].numpy()
            hr = high[4 * at : 4 * (at + n)].reshape(2 * h, 2 * w).astype(np.float32) * np.float32(1 / 255)
            self.low.append(padded[0, 0].numpy())
            self.residual.append((hr - cubic).astype(np.float16))
            at += n
        weight = stored["weight"].astype(np.float64)
        self.cumulative = np.cumsum(weight / weight.sum())

    def batch(self, rng, count, patch):
        x = np.empty((count, 1, patch + 4, patch + 4), np.float32)
        t = np.empty((count, 1, 2 * patch, 2 * patch), np.float16)
        picks = np.searchsorted(self.cumulative, rng.random(count)).clip(0, len(self.low) - 1)
        for i, k in enumerate(picks):
            low, res = self.low[k], self.residual[k]
            r = rng.integers(0, low.shape[0] - 4 - patch + 1)
            c = rng.integers(0, low.shape[1] - 4 - patch + 1)
            a = low[r : r + patch + 4, c : c + patch + 4]
            b = res[2 * r : 2 * (r + patch), 2 * c : 2 * (c + patch)]
            turn = rng.integers(8)
            if turn & 1:
                a, b = a[::-1], b[::-1]
            if turn & 2:
                a, b = a[:, ::-1], b[:, ::-1]
            if turn & 4:
                a, b = a.T, b.T
            x[i, 0], t[i, 0] = a, b
        return torch.from_numpy(x), F.pixel_unshuffle(torch.from_numpy(t).float(), 2)


@torch.no_grad()
def validate(network, pool):
    """Mean PSNR over the held-out pictures (border of 2 cut), in full precision."""
    total = []
    for low, res in zip(pool.low, pool.residual):
        out = network(torch.from_numpy(low)[None, None])
        err = F.pixel_shuffle(out, 2)[0, 0].numpy() - res.astype(np.float32)
        total.append(-10 * math.log10(float(np.mean(err[2:-2, 2:-2].astype(np.float64) ** 2))))
    return sum(total) / len(total)


class Soap:
    """SOAP: Adam in the eigenbasis of Shampoo's preconditioner, batched over stacked layers."""

    def __init__(self, params, betas=(0.95, 0.95), every=10, eps=1e-8):
        self.params, self.betas, self.every, self.eps = list(params), betas, every, eps
        self.steps, self.state = 0, [{} for _ in self.params]

    @staticmethod
    def matrix(g):
        """Stacked kernels as (layers, out, in * k * k); a single one as one layer."""
        return g.reshape(g.shape[0], g.shape[1], -1) if g.dim() == 5 else g.reshape(1, g.shape[0], -1)

    @torch.no_grad()
    def step(self, lr):
        b1, b2 = self.betas
        for p, s in zip(self.params, self.state):
            rotate = p.dim() >= 4
            g = self.matrix(p.grad) if rotate else p.grad
            if not s:
                s["m"], s["v"] = torch.zeros_like(g), torch.zeros_like(g)
                if rotate:
                    s["L"], s["R"] = g @ g.mT, g.mT @ g
                    s["QL"], s["QR"] = (torch.linalg.eigh(s[k])[1] for k in "LR")
            ql, qr = s.get("QL"), s.get("QR")
            turned = ql.mT @ g @ qr if rotate else g
            s["m"].lerp_(g, 1 - b1)
            s["v"].mul_(b2).addcmul_(turned, turned, value=1 - b2)
            m = ql.mT @ s["m"] @ qr if rotate else s["m"]
            t = self.steps + 1
            update = (m / (1 - b1**t)) / ((s["v"] / (1 - b2**t)).sqrt() + self.eps)
            update = ql @ update @ qr.mT if rotate else update
            if self.steps:  # the first step only fills the statistics
                p.add_(update.reshape(p.shape), alpha=-lr)
            if rotate:
                s["L"].lerp_(g @ g.mT, 1 - b2)
                s["R"].lerp_(g.mT @ g, 1 - b2)
                if self.steps % self.every == 1:
                    s["QL"], s["QR"] = (torch.linalg.qr(s[k] @ s["Q" + k])[0] for k in "LR")
        self.steps += 1
        for p in self.params:
            p.grad = None


# lr: peak; mse_from: part of the schedule at which L1 gives way to MSE; average: memory of the weight average.
RECIPES = {
    "loom-x2": {"lr": 5e-3, "mse_from": 0.6, "average": 0.999, "iterations": 40_000, "init": None},
    "loom-x2-web": {"lr": 3e-3, "mse_from": 0.0, "average": 0.9995, "iterations": 20_000, "init": "loom-x2"},
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", type=Path, required=True, help="folder with kodim01.png ... kodim24.png")
    ap.add_argument("--id", choices=list(RECIPES), help="only this one")
    ap.add_argument("--out", type=Path, default=HERE / "out", help="pools, checkpoints")
    ap.add_argument("--init", type=Path, help="start from these weights")
    ap.add_argument("--iterations", type=int, help="instead of the recipe's")
    ap.add_argument("--minutes", type=float, help="let the schedule follow the clock instead of the iterations")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--patch", type=int, default=48, help="side of a low-resolution patch")
    ap.add_argument("--lr", type=float, help="instead of the recipe's")
    ap.add_argument("--average", type=float, help="instead of the recipe's")
    ap.add_argument("--mse-from", type=float, help="instead of the recipe's")
    ap.add_argument("--fp32-from", type=float, default=0.97, help="part of the schedule at which bfloat16 ends")
    ap.add_argument("--every", type=int, default=1000, help="validate and save every so many iterations")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    for name in [args.id] if args.id else list(RECIPES):
        given = {k: v for k, v in vars(args).items() if v is not None}
        recipe = argparse.Namespace(**{**RECIPES[name], **given, "id": name})
        if isinstance(recipe.init, str):
            recipe.init = args.out / recipe.init / "best.pt"
        recipe.minutes = args.minutes
        train(recipe)


def train(args):
    torch.manual_seed(0)
    kind = "web" if args.id.endswith("web") else "clean"
    data.ensure(args.data, args.out / "data", [kind])
    pool, held = (Pool(args.out / "data" / f"{kind}{part}.npz") for part in ("", "-held"))
    folder = args.out / args.id
    folder.mkdir(parents=True, exist_ok=True)

    network, ema = net.LoomNet(), net.LoomNet()
    if args.init:  # a state that is resumed comes after this and wins
        network.load_state_dict(torch.load(args.init, weights_only=True)["ema"])
    ema.load_state_dict(network.state_dict())
    opt = Soap(network.parameters())
    done, best = 0.0, 0.0
    last = folder / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=True)
        network.load_state_dict(state["network"]), ema.load_state_dict(state["ema"])
        opt.state, opt.steps, done, best = state["opt"], state["steps"], state["seconds"], state["best"]
        print(f"resumed at {opt.steps}, {done:.0f} s", flush=True)
    rng = np.random.default_rng([0, opt.steps])

    start, squared, since = time.time() - done, 0.0, 0
    while True:
        seconds = time.time() - start
        progress = seconds / 60 / args.minutes if args.minutes else opt.steps / args.iterations
        ended = progress >= 1
        if (opt.steps % args.every == 0 and since) or ended:
            psnr = validate(ema, held)
            train_psnr = -10 * math.log10(squared / max(since, 1) + 1e-12)
            print(f"{seconds:.0f} s  {opt.steps}  {progress:.3f}  lr {lr:.1e}  train {train_psnr:.3f}  held {psnr:.4f}", flush=True)
            squared, since = 0.0, 0
            if psnr > best:
                best = psnr
                torch.save({"ema": ema.state_dict(), "steps": opt.steps, "held": psnr}, folder / "best.pt")
            torch.save(
                {"network": network.state_dict(), "ema": ema.state_dict(), "opt": opt.state,
                 "steps": opt.steps, "seconds": seconds, "best": best},
                folder / "last.tmp",
            )
            (folder / "last.tmp").replace(last)
            if ended:
                break
        lr = args.lr * min(1.0, (opt.steps + 1) / 500) * max(0.002, 0.5 + 0.5 * math.cos(math.pi * progress))
        x, target = pool.batch(rng, args.batch, args.patch)
        out = network(x.to(memory_format=torch.channels_last), low_precision=progress < args.fp32_from)
        error = out - target
        loss = error.abs().mean() if progress < args.mse_from else error.square().mean() * 100
        loss.backward()
        opt.step(lr)
        squared, since = squared + float(error.detach().square().mean()), since + 1
        with torch.no_grad():
            keep = min(args.average, (opt.steps + 1) / (opt.steps + 10))
            torch._foreach_lerp_(list(ema.parameters()), list(network.parameters()), 1 - keep)


if __name__ == "__main__":
    main()
