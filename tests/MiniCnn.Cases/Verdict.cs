namespace MiniCnn.Cases;

/// <summary>The agreement of MiniCnn's implementations with the exact results of a case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Ways">The implementations: the layer in float, the layer in double, the reference, ….</param>
sealed record Verdict(Case Case, IReadOnlyList<(string Subject, bool IsDouble, IReadOnlyList<Agreement> Agreements)> Ways)
{
    /// <summary>Runs MiniCnn's side of a case.</summary>
    /// <param name="c">The case.</param>
    /// <param name="judgement">The exact results and bounds.</param>
    /// <param name="keep">Returns the subset of results that the judgement has. The default is all results.</param>
    public static Verdict Of(Case c, Judgement judgement, Func<Numbers, Numbers>? keep = null)
    {
        Numbers inputs = c.Inputs();
        List<(string Subject, bool IsDouble, Numbers Results)> runs = [(c.Subject, false, c.Float(inputs)), .. c.Others(inputs)];
        if (c.Double(inputs) is { } inDouble)
            runs.Add((c.Subject, true, inDouble));
        foreach ((string subject, bool isDouble, Numbers results) in runs)
        {
            string[] expected = [.. judgement.Exact.Keys.Where(name => !(isDouble && c.IsFloatOnly(name)))];
            if (!results.Keys.Order().SequenceEqual(expected.Order()))
                throw new InvalidDataException($"{c}: {subject} returns {string.Join(", ", results.Keys)}, expected {string.Join(", ", expected)}");
        }
        return new(c, [.. runs.Select(run => (run.Subject, run.IsDouble, judgement.Of(keep is null ? run.Results : keep(run.Results), run.IsDouble, run.IsDouble ? c.Approximation : 0)))]);
    }

    /// <summary>Returns a line of text: “486 cases, 286 of them conv2d with their gradients; …”.</summary>
    public static string Summary(IReadOnlyCollection<Verdict> verdicts) =>
        $"{verdicts.Count} cases, {verdicts.Count(v => v.Case is Conv2dCase)} of them conv2d with their gradients; "
        + $"{verdicts.Sum(v => v.ExactNumbers)} numbers bit for bit, the rest within rounding";

    /// <summary>Whether all implementations agree.</summary>
    public bool Holds => !Faults.Any();

    /// <summary>Returns a line for each result that does not agree.</summary>
    public IEnumerable<string> Faults =>
        from way in Ways
        from agreement in way.Agreements
        where !agreement.Holds
        select $"{Case}: {(way.Subject == Case.Subject ? "" : way.Subject + " ")}in {(way.IsDouble ? "double" : "float")}, {agreement}";

    /// <summary>Number of float results that must be bit-identical, and are.</summary>
    public int ExactNumbers => Case.Rounding == Rounding.Exact ? Ways[0].Agreements.Sum(agreement => agreement.BitEqual) : 0;
}
