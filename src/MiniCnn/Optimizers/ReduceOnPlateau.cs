using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Multiplies the learning rate by a factor when the monitored value has stopped getting better: PyTorch's ReduceLROnPlateau.</summary>
/// <remarks>
/// After each epoch, with best at first the worst there is:
/// <code>
/// better = value &lt; best · (1 − Threshold), or of a value that is better high: value > best · (1 + Threshold)
/// best = value, bad = 0 if better; else bad = bad + 1             (bad = 0 in each of the Cooldown epochs after a reduction)
/// rate = max(rate · Factor, MinRate), bad = 0 if bad > Patience
/// </code>
/// A rate that this would lower by less than 10⁻⁸ stays, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html.
/// </remarks>
public sealed record ReduceOnPlateau
{
    /// <summary>What the rate is multiplied by, above 0 and below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public double Factor { get; init => field = value is > 0 and < 1 ? value : throw Refused(value, "above 0 and below 1"); } = 0.1;

    /// <summary>Epochs in a row that may be no better; one more, and the rate is reduced.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int Patience { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); } = 10;

    /// <summary>The share of the best value by which a better one must differ from it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not finite.</exception>
    public double Threshold { get; init => field = value is >= 0 and < double.PositiveInfinity ? value : throw Refused(value, "0 or more"); } = 1e-4;

    /// <summary>Epochs after a reduction that are not counted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int Cooldown { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>No rate is reduced to less.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not finite.</exception>
    public float MinRate { get; init => field = value is >= 0 and < float.PositiveInfinity ? value : throw Refused(value, "0 or more"); }

    /// <summary>“factor 0.1, patience 10, threshold 0.0001, cooldown 0, least rate 0”.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"factor {Factor}, patience {Patience}, threshold {Threshold}, cooldown {Cooldown}, least rate {MinRate}");

    static ArgumentOutOfRangeException Refused(object value, string range, [CallerMemberName] string name = "") =>
        new(name, value, $"{name} must be {range}");

    /// <summary>Where it is in a run.</summary>
    internal sealed class State
    {
        /// <summary>How often rates have been reduced.</summary>
        public int Reductions { get; set; }

        public double? Best { get; set; }

        /// <summary>Epochs in a row that were no better.</summary>
        public int Bad { get; set; }

        /// <summary>Epochs that are still not to be counted.</summary>
        public int Cooling { get; set; }

        /// <summary>What a rate has been reduced to.</summary>
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

        /// <summary>Takes an epoch's value into account.</summary>
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
