using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Reduces the learning rate when the monitored value has stopped improving, as PyTorch's ReduceLROnPlateau does.</summary>
/// <remarks>
/// After each epoch, where best is the worst possible value at the start:
/// <code>
/// better = value &lt; best · (1 − Threshold), or if higher values are better: value > best · (1 + Threshold)
/// best = value, bad = 0 if better; else bad = bad + 1             (bad = 0 in each of the Cooldown epochs after a reduction)
/// rate = max(rate · Factor, MinRate), bad = 0 if bad > Patience
/// </code>
/// As in PyTorch, a rate does not change if the reduction would be 10⁻⁸ or less.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html.
/// </remarks>
public sealed record ReduceOnPlateau
{
    /// <summary>Factor of the rate at each reduction, above 0 and below 1. The default is 0.1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above 0 and below 1.</exception>
    public double Factor { get; init => field = value is > 0 and < 1 ? value : throw Refused(value, "above 0 and below 1"); } = 0.1;

    /// <summary>
    /// Number of consecutive epochs without improvement that are allowed. After one more such epoch, the rate is reduced. The default is 10.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Patience { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); } = 10;

    /// <summary>Minimum relative change from the best value that counts as an improvement. The default is 10⁻⁴.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double Threshold { get; init => field = value is >= 0 and < double.PositiveInfinity ? value : throw Refused(value, "0 or more"); } = 1e-4;

    /// <summary>Number of epochs after a reduction in which epochs without improvement are not counted. The default is 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Cooldown { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>Lower limit of a reduced rate. The default is 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public float MinRate { get; init => field = value is >= 0 and < float.PositiveInfinity ? value : throw Refused(value, "0 or more"); }

    /// <summary>“factor 0.1, patience 10, threshold 0.0001, cooldown 0, least rate 0”.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"factor {Factor}, patience {Patience}, threshold {Threshold}, cooldown {Cooldown}, least rate {MinRate}");

    static ArgumentOutOfRangeException Refused(object value, string range, [CallerMemberName] string name = "") =>
        new(name, value, $"{name} must be {range}");

    /// <summary>State of the scheduler during a run.</summary>
    internal sealed class State
    {
        /// <summary>Number of reductions so far.</summary>
        public int Reductions { get; set; }

        public double? Best { get; set; }

        /// <summary>Number of consecutive epochs without improvement.</summary>
        public int Bad { get; set; }

        /// <summary>Remaining epochs of the cooldown.</summary>
        public int Cooling { get; set; }

        /// <summary>Returns a rate after all reductions so far.</summary>
        public float Of(float rate, ReduceOnPlateau by)
        {
            double reduced = rate;
            for (int i = 0; i < Reductions; i++)
            {
                double next = Math.Max(reduced * by.Factor, by.MinRate);
                reduced = reduced - next > 1e-8 ? next : reduced;
            }
            return (float)reduced;
        }

        /// <summary>Updates the state with the monitored value of an epoch.</summary>
        public void Step(double value, bool higherIsBetter, ReduceOnPlateau by)
        {
            bool better = higherIsBetter
                ? value > (Best ?? double.NegativeInfinity) * (1 + by.Threshold) : value < (Best ?? double.PositiveInfinity) * (1 - by.Threshold);
            if (better)
                Best = value;
            Bad = better ? 0 : Bad + 1;
            if (Cooling > 0)
                (Cooling, Bad) = (Cooling - 1, 0);
            if (Bad > by.Patience)
                (Reductions, Cooling, Bad) = (Reductions + 1, by.Cooldown, 0);
        }
    }
}
