namespace MiniCnn.Cases;

/// <summary>Tensors by their names, in the order in which they were made; what is a float is held exactly.</summary>
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

/// <summary>How far rounding may move a result; see <see cref="Judgement"/>.</summary>
enum Rounding
{
    /// <summary>Not at all: whole numbers, numbers that are only picked or drawn.</summary>
    Exact,

    /// <summary>Sums of products, element by element.</summary>
    Sums,

    /// <summary>Any formula: as the result moves when its inputs do.</summary>
    Formula,

    /// <summary>Training steps, one after the other.</summary>
    Training,
}

/// <summary>One thing that MiniCnn and TorchSharp both compute: inputs from a seed, results by name.</summary>
/// <param name="Subject">What is held against its namesake: the name of a type, or “Type.Method”.</param>
abstract record Case(string Subject)
{
    /// <summary>“Conv2d.17”: the subject and the case's number among its cases.</summary>
    public string Id { get; set; } = "";

    /// <summary>Its place in the table; all its random numbers follow from it.</summary>
    public int Seed { get; set; }

    /// <summary>How far from the exact result a computation in floating point may be.</summary>
    public abstract Rounding Rounding { get; }

    /// <summary>The most terms that any sum of it has, and the operations on them.</summary>
    public abstract int Terms { get; }

    /// <summary>The largest number on the way to a result whose rounding is not seen in how the result moves with its inputs: the 1 in log(1 + x), say.</summary>
    public virtual double Intermediate(string result) => 0;

    /// <summary>How far the formula in double is from exact, as a share of a tensor's largest number: 0 but where it is an approximation made for float.</summary>
    public virtual double Approximation => 0;

    /// <summary>What goes in: real numbers that float has. Labels and options are the case's own.</summary>
    public abstract Numbers Inputs();

    /// <summary>What MiniCnn makes of it, in float, as a program would ask for it.</summary>
    public abstract Numbers Float(Numbers inputs);

    /// <summary>What MiniCnn's own code makes of it in double; null where it runs in float only.</summary>
    public virtual Numbers? Double(Numbers inputs) => null;

    /// <summary>Whether a result is left out in double.</summary>
    public virtual bool IsFloatOnly(string result) => false;

    /// <summary>Other ways of MiniCnn to the same results.</summary>
    public virtual IEnumerable<(string Subject, bool IsDouble, Numbers Results)> Others(Numbers inputs) => [];

    /// <summary>Numbers in [−1, 1), the next ones of a generator.</summary>
    protected static double[] Reals(TorchGenerator random, long length, float scale = 1) => Fill(length, () => scale * random.NextUniform(-1, 1));

    /// <summary>Whole numbers −most … most.</summary>
    protected static double[] Integers(TorchGenerator random, long length, int most) => Fill(length, () => (int)(random.NextUInt32() % (2 * most + 1)) - most);

    static double[] Fill(long length, Func<double> next)
    {
        double[] numbers = new double[length];
        for (int i = 0; i < length; i++)
            numbers[i] = next();
        return numbers;
    }
}
