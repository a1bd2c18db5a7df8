"""Loom x2: a plain chain of 3x3 convolutions, trained with more parameters than it ships.

Every hidden convolution is trained as the sum of a 3x3, an expand-and-squeeze
1x1 -> 3x3 pair, four 1x1 -> fixed edge filters (Sobel x/y, Laplacian, as in ECBSR)
and the identity. All branches are linear, so they are merged into ONE kernel before
the convolution is run, in training too: the extra parameters cost no pixels.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from graph import cubic_base

CHANNELS = 16
DEPTH = 10  # hidden 3x3 convolutions
RADIUS = 2 + DEPTH + 1  # receptive field radius, in input pixels
SCALE = 2


def _edge_filters():
    sx = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 4
    lap = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 4
    return torch.stack([sx, sx.t().contiguous(), lap])


class MergedConv(nn.Module):
    """3x3 convolution whose kernel is the sum of several linear branches."""

    def __init__(self, cin, cout, expand=2):
        super().__init__()
        mid = expand * max(cin, cout)
        self.weight = nn.Parameter(torch.empty(cout, cin, 3, 3))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.weight.data *= 0.5
        self.bias = nn.Parameter(torch.zeros(cout))
        self.w1 = nn.Parameter(torch.randn(mid, cin) * (1.0 / cin) ** 0.5)
        self.w2 = nn.Parameter(torch.randn(cout, mid, 3, 3) * (0.25 / (9 * mid)) ** 0.5)
        self.edge = nn.Parameter(torch.randn(3, cout, cin) * (0.1 / cin) ** 0.5)
        self.register_buffer("filters", _edge_filters(), persistent=False)
        identity = torch.zeros(cout, cin, 3, 3)
        if cin == cout:
            identity[:, :, 1, 1] = torch.eye(cin)
        self.register_buffer("identity", identity, persistent=False)

    def kernel(self):
        cout, cin = self.weight.shape[:2]
        mid = self.w1.shape[0]
        squeezed = self.w2.permute(0, 2, 3, 1).reshape(-1, mid) @ self.w1
        squeezed = squeezed.view(cout, 3, 3, cin).permute(0, 3, 1, 2)
        edges = (self.edge.reshape(3, -1).t() @ self.filters.reshape(3, 9)).view(cout, cin, 3, 3)
        return self.weight + squeezed + edges + self.identity

    def forward(self, x):
        return F.conv2d(x, self.kernel(), self.bias, padding=1)

    def branches(self, x):
        """The same sum branch by branch in the data domain, to check the merge."""
        y = F.conv2d(x, self.weight, self.bias, padding=1)
        y = y + F.conv2d(F.conv2d(x, self.w1[:, :, None, None]), self.w2, padding=1)
        for m, f in zip(self.edge, self.filters):
            z = F.conv2d(x, m[:, :, None, None])
            y = y + F.conv2d(z, f.expand(z.shape[1], 1, 3, 3), padding=1, groups=z.shape[1])
        return y + (x if self.identity.any() else 0)


class LoomNet(nn.Module):
    """Input: luma padded by 2 (edge), float. Output: the 4-phase RESIDUAL to the cubic base."""

    def __init__(self, channels=CHANNELS, depth=DEPTH):
        super().__init__()
        self.head = nn.Conv2d(1, channels, 5)
        self.body = nn.ModuleList(MergedConv(channels, channels) for _ in range(depth))
        self.tail = MergedConv(channels, SCALE * SCALE)
        nn.init.kaiming_normal_(self.head.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.bias)
        for p in (self.tail.weight, self.tail.w2, self.tail.edge):
            p.data.zero_() if p is not self.tail.w2 else p.data.mul_(0.1)
        self.register_buffer("base", torch.from_numpy(cubic_base()), persistent=False)

    def forward(self, padded):
        x = F.relu(self.head(padded))
        for conv in self.body:
            x = F.relu(conv(x))
        return self.tail(x)

    def cubic(self, padded):
        return F.conv2d(padded, self.base)

    @torch.no_grad()
    def collapse(self):
        """[(weight, bias)] as numpy float32, merged in float64."""
        out = [(self.head.weight.double(), self.head.bias.double())]
        for conv in [*self.body, self.tail]:
            wide = MergedConv(conv.weight.shape[1], conv.weight.shape[0]).double()
            wide.load_state_dict({k: v.double() for k, v in conv.state_dict().items()})
            out.append((wide.kernel(), wide.bias))
        return [(w.float().numpy().copy(), b.float().numpy().copy()) for w, b in out]
