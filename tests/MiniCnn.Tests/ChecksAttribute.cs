namespace MiniCnn.Tests;

/// <summary>What a thing can be held against that knows nothing of it; the columns of the README's table.</summary>
enum Witness
{
    /// <summary>The formula, written again in double; the bound is what rounding may do.</summary>
    Formula,

    /// <summary>Difference quotients in double.</summary>
    Quotients,

    /// <summary>Plain loops, another path or the adjoint, in numbers that must be the same to the bit.</summary>
    Bits,

    /// <summary>What another library computed, kept in tests/recorded.</summary>
    Recorded,
}

/// <summary>Says of a test what it holds against what. The README's table is made of these; WitnessTests looks whether they can be true.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
sealed class ChecksAttribute(Witness witness, params Type[] subjects) : Attribute
{
    /// <param name="file">A file of tests/recorded, without its ending.</param>
    /// <param name="cases">A regular expression for the names of the cases that the test looks at: of “sigmoid.0.x” what matches “sigmoid\.\d”.</param>
    /// <param name="subject">What is held against them.</param>
    public ChecksAttribute(string file, string cases, Type subject) : this(Witness.Recorded, subject) => (File, Cases) = (file, $"^(?:{cases})(?=[./]|$)");

    public Witness Witness => witness;

    public Type[] Subjects => subjects;

    /// <summary>The one method of the type that is meant.</summary>
    public string? Member { get; init; }

    public string? File { get; }

    public string? Cases { get; }
}
