using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>What is checked against what, as the tests say it of themselves by <see cref="ChecksAttribute"/>.</summary>
[Collection(nameof(Recorded))]                                        // one test writes to the README, as some of ReadmeTests do
public sealed class WitnessTests
{
    readonly record struct Subject(Type Type, string? Member)
    {
        public override string ToString() => Member is null ? Type.Name : $"{Type.Name}.{Member}";

        public int Kind => Member is not null ? 4 : Type == typeof(Conv2dReference) ? 0 : IsLayer(Type) ? 1 : IsLoss(Type) ? 2 : IsOptimizer(Type) ? 3 : 5;
    }

    readonly record struct Claim(MethodInfo Test, ChecksAttribute Says, Subject Subject);

    static readonly Claim[] claims =
    [
        .. from test in typeof(WitnessTests).Assembly.GetTypes().SelectMany(type => type.GetMethods())
           from says in test.GetCustomAttributes<ChecksAttribute>()
           from type in says.Subjects
           select new Claim(test, says, new(type, says.Member)),
    ];

    static readonly Dictionary<string, string[]> recordedNames = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "recorded"), "*.safetensors")
        .ToDictionary(file => Path.GetFileNameWithoutExtension(file), file => SafeTensors.Read(file).Tensors.Keys.ToArray());

    static bool IsLayer(Type type) => type.IsAssignableTo(typeof(Layer));

    static bool IsLoss(Type type) => type.GetMethods().Any(method => method.Name == "Forward" && method.ReturnType == typeof(float));

    static bool IsOptimizer(Type type) => type.IsAssignableTo(typeof(Optimizer));

    /// <summary>Static classes of which every method must be there.</summary>
    static readonly Type[] collections = [typeof(LearningRate), typeof(GradientClipping), typeof(Init)];

    /// <summary>What no recording could tell anything of: a mask is of our own random numbers, and a constant is one.</summary>
    static readonly Subject[] withoutPeer = [new(typeof(Dropout), null), new(typeof(Init), nameof(Init.Constant))];

    [Fact]
    public void Layers_and_losses_have_difference_quotients_and_they_and_optimizers_and_schedules_a_recorded_peer()
    {
        Type[] types = [.. typeof(Layer).Assembly.GetExportedTypes().Where(type => type.IsClass && !type.IsAbstract)];
        List<(Subject Subject, Witness Witness)> needed = [(new(typeof(Conv2dReference), null), Witness.Quotients)];
        foreach (Type type in types.Where(type => IsLayer(type) || IsLoss(type)))
            needed.Add((new(type, null), Witness.Quotients));
        foreach (Type type in types.Where(type => IsLayer(type) || IsLoss(type) || IsOptimizer(type)))
            needed.Add((new(type, null), Witness.Recorded));
        foreach (MethodInfo method in collections.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)))
            needed.Add((new(method.DeclaringType!, method.Name), Witness.Recorded));
        needed.RemoveAll(row => row.Witness == Witness.Recorded && withoutPeer.Contains(row.Subject));
        Assert.Empty(needed.Except(claims.Select(claim => (claim.Subject, claim.Says.Witness))));
    }

    /// <summary>Whether it runs at all, names what it says it checks, and runs a gradient check or names the recorded cases if it says so.</summary>
    [Fact]
    public void What_a_test_says_it_checks_is_in_its_code() => Assert.All(claims, claim =>
    {
        (MethodInfo test, ChecksAttribute says, Subject subject) = claim;
        Assert.True(test.GetCustomAttribute<FactAttribute>() is { Skip: null }, $"{test.Name} is no test");
        NamedInCode code = new(test);
        Assert.True(
            code.Methods.Any(method => Within(method.DeclaringType, subject.Type) && (subject.Member ?? method.Name) == method.Name)
                || subject.Member is null && code.Types.Any(type => Within(type, subject.Type)),
            $"{test.Name} never names {subject}");
        if (says.Witness == Witness.Quotients && IsLayer(subject.Type))
            Assert.True(code.Methods.Any(method => method.DeclaringType == typeof(GradientCheck)), $"{test.Name} never runs a GradientCheck");
        if (says.Cases is not null)
        {
            string word = Plain(Regex.Match(says.Cases, @"(?<=\(\?:)\w*").Value);
            IEnumerable<string> properties = code.Methods.Where(method => method.IsSpecialName).Select(method => method.Name);
            Assert.True(code.Strings.Concat(properties).Any(name => Plain(name).Contains(word)), $"{test.Name} never names {word}");
        }

        static bool Within(Type? type, Type subject) => type is not null && (type == subject || Within(type.DeclaringType, subject));

        static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();
    });

    [Fact]
    public void All_that_is_recorded_is_looked_at()
    {
        Regex inputs = new("^(weight|bias|gradient)(?=[.]|$)");       // of all optimizers
        List<string> forgotten = [];
        foreach ((string file, string[] names) in recordedNames)
        {
            string[] cases = [.. claims.Where(claim => claim.Says.File == file).Select(claim => claim.Says.Cases!)];
            forgotten.AddRange(names.Where(name => !inputs.IsMatch(name) && !cases.Any(pattern => Regex.IsMatch(name, pattern))));
        }
        Assert.Empty(forgotten);
    }

    [Fact]
    public void The_table_of_witnesses_is_up_to_date()
    {
        StringBuilder table = new(
            """
            Everything else, and against what a test holds it (✓); a number counts the cases that another library computed, kept in
            [tests/recorded](tests/recorded). Tests say so of themselves, and this table is made of that. A test fails where one of them never names in
            its code what it says it checks, where a recorded case is looked at by none, and where a layer or a loss has no difference quotients, or
            one of these, an optimizer or a schedule no recorded peer (but for Dropout, whose random numbers are its own).

            | | formula in double | difference quotients | equal to the bit | recorded |
            |---|:---:|:---:|:---:|---|

            """.ReplaceLineEndings("\n"));
        ILookup<Subject, Claim> rows = claims.ToLookup(claim => claim.Subject);
        foreach (IGrouping<Subject, Claim> of in rows.OrderBy(row => row.Key.Kind).ThenBy(row => $"{row.Key}", StringComparer.Ordinal))
            table.Append($"| {of.Key} | {Tick(of, Witness.Formula)} | {Tick(of, Witness.Quotients)} | {Tick(of, Witness.Bits)} | {Peers(of)} |\n");
        ReadmeTests.IsUpToDate("witnesses", table.ToString());

        static string Tick(IEnumerable<Claim> claims, Witness witness) => claims.Any(claim => claim.Says.Witness == witness) ? "✓" : "–";

        static string Peers(IEnumerable<Claim> claims)
        {
            (string Peer, string Case)[] cases = [.. claims.Where(claim => claim.Says.File is not null).SelectMany(claim => Cases(claim.Says)).Distinct()];
            return cases.Length == 0 ? "–" : string.Join(", ", cases.GroupBy(c => c.Peer, (peer, of) => $"{of.Count()} {peer}").Order(StringComparer.Ordinal));
        }
    }

    /// <summary>The names of the recorded cases, and who computed them.</summary>
    static IEnumerable<(string Peer, string Case)> Cases(ChecksAttribute says)
    {
        string peer = says.File!.Split('-')[0] switch { "torchsharp" => "TorchSharp", "pil" => "PIL", _ => "PyTorch" };
        string[] names = [.. recordedNames[says.File].Select(name => Regex.Match(name, says.Cases!).Value).Where(found => found != "").Distinct()];
        Assert.True(names.Length > 0, $"{says.File} has no case {says.Cases}");
        return names.Select(name => (peer, $"{says.File}/{name}"));
    }
}
