"""Loom x2: a plain chain of 3x3 convolutions, re-parameterised while it is trained.

Every hidden convolution is trained as 3x3 + identity; the two are merged into one
kernel before the convolution is run, in training too. The kernels of all hidden
layers are one stacked tensor, so that the optimiser treats them in one operation.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from graph import cubic_base

CHANNELS = 16
DEPTH = 10  # hidden 3x3 convolutions
RADIUS = 2 + DEPTH + 1  # receptive field radius, in input pixels
SCALE = 2


class LoomNet(nn.Module):
    """Input: luma/255 padded by 2 (edge). Output: the 4-phase RESIDUAL to the cubic base."""

    def __init__(self, channels=CHANNELS, depth=DEPTH):
        super().__init__()
        gain = (1 / (9 * channels)) ** 0.5
        self.head = nn.Parameter(torch.randn(channels, 1, 5, 5) * (2 / 25) ** 0.5)
        self.head_bias = nn.Parameter(torch.zeros(channels))
        self.body = nn.Parameter(torch.randn(depth, channels, channels, 3, 3) * 0.5 * gain)
        self.body_bias = nn.Parameter(torch.zeros(depth, channels))
        self.tail = nn.Parameter(torch.randn(SCALE * SCALE, channels, 3, 3) * 0.02 * gain)
        self.tail_bias = nn.Parameter(torch.zeros(SCALE * SCALE))
        identity = torch.zeros(channels, channels, 3, 3)
        identity[:, :, 1, 1] = torch.eye(channels)
        self.register_buffer("identity", identity, persistent=False)
        self.register_buffer("base", torch.from_numpy(cubic_base()), persistent=False)

    def forward(self, padded, low_precision=False):
        x = F.relu(F.conv2d(padded, self.head, self.head_bias))
        body, bias, tail, tail_bias = self.body + self.identity, self.body_bias, self.tail, self.tail_bias
        if low_precision:
            x, body, bias, tail, tail_bias = (t.bfloat16() for t in (x, body, bias, tail, tail_bias))
        for w, b in zip(body, bias):
            x = F.relu(F.conv2d(x, w, b, padding=1))
        return F.conv2d(x, tail, tail_bias, padding=1).float()

    def cubic(self, padded):
        return F.conv2d(padded, self.base)

    def by_branches(self, padded):
        """The same, with the identity added outside the convolution, to check the merge."""
        x = F.relu(F.conv2d(padded, self.head, self.head_bias))
        for w, b in zip(self.body, self.body_bias):
            x = F.relu(F.conv2d(x, w, b, padding=1) + x)
        return F.conv2d(x, self.tail, self.tail_bias, padding=1)

    @torch.no_grad()
    def collapse(self):
        """[(weight, bias)] as float32 numpy arrays, merged in float64."""
        body = self.body.double() + self.identity.double()
        layers = [(self.head, self.head_bias), *zip(body, self.body_bias), (self.tail, self.tail_bias)]
        return [(w.float().numpy().copy(), b.float().numpy().copy()) for w, b in layers]
