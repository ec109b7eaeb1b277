namespace MiniCnn.Cases;

/// <summary>Tensors by name, in insertion order. Floats are stored exactly.</summary>
sealed class Numbers : OrderedDictionary<string, double[]>
{
    public float[] Floats(string name) => Array.ConvertAll(this[name], value => (float)value);

    public void Add(string name, ReadOnlySpan<float> values)
    {
        double[] numbers = new double[values.Length];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = values[i];
        Add(name, numbers);
    }
}

/// <summary>The kind of rounding error bound of a result; see <see cref="Judgement"/>.</summary>
enum Rounding
{
    /// <summary>No rounding: integers, or numbers that are only selected or drawn.</summary>
    Exact,

    /// <summary>Sums of products, with a bound per element.</summary>
    Sums,

    /// <summary>Any formula: the bound follows from the sensitivity of the result to its inputs.</summary>
    Formula,

    /// <summary>A sequence of training steps.</summary>
    Training,
}

/// <summary>A computation of both MiniCnn and TorchSharp: inputs from a seed, results by name.</summary>
/// <param name="Subject">Name of the compared type, or “Type.Method”.</param>
abstract record Case(string Subject)
{
    /// <summary>Subject and number of the case among the cases of the subject: “Conv2d.17”.</summary>
    public string Id { get; set; } = "";

    /// <summary>Number of the case in the table, and the seed of all its random numbers.</summary>
    public int Seed { get; set; }

    /// <summary>The kind of rounding error bound.</summary>
    public abstract Rounding Rounding { get; }

    /// <summary>The largest number of terms of a sum, plus the operations on them.</summary>
    public abstract int Terms { get; }

    /// <summary>The largest intermediate number whose rounding error the sensitivity to the inputs does not show, for example the 1 in log(1 + x).</summary>
    public virtual double Intermediate(string result) => 0;

    /// <summary>Error of the formula in double, relative to a tensor's largest number. It is 0 except for approximations designed for float.</summary>
    public virtual double Approximation => 0;

    /// <summary>Creates the inputs: real numbers that a float represents exactly. Labels and options are members of the case.</summary>
    public abstract Numbers Inputs();

    /// <summary>Computes the results in float by MiniCnn's public API.</summary>
    public abstract Numbers Float(Numbers inputs);

    /// <summary>Computes the results in double by MiniCnn's code. Null if it supports only float.</summary>
    public virtual Numbers? Double(Numbers inputs) => null;

    /// <summary>Whether a result is compared only in float.</summary>
    public virtual bool IsFloatOnly(string result) => false;

    /// <summary>Computes the same results by other implementations in MiniCnn.</summary>
    public virtual IEnumerable<(string Subject, bool IsDouble, Numbers Results)> Others(Numbers inputs) => [];

    /// <summary>Draws numbers in scale · [−1, 1).</summary>
    protected static double[] Reals(TorchGenerator random, long length, float scale = 1) => Fill(length, () => scale * random.NextUniform(-1, 1));

    /// <summary>Draws integers in −most … most.</summary>
    protected static double[] Integers(TorchGenerator random, long length, int most) => Fill(length, () => (int)(random.NextUInt32() % (2 * most + 1)) - most);

    static double[] Fill(long length, Func<double> next)
    {
        double[] numbers = new double[length];
        for (int i = 0; i < length; i++)
            numbers[i] = next();
        return numbers;
    }
}
