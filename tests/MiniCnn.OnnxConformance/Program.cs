// Runs the official ONNX tests. Each test is a folder with model.onnx and test_data_set_*/input_*.pb and output_*.pb:
// dotnet run -c Release --project tests/MiniCnn.OnnxConformance -- FOLDER
// Source of the tests: https://github.com/onnx/onnx, tag v1.22.0, folder onnx/backend/test/data.
using System.Numerics.Tensors;
using MiniCnn;
using MiniCnn.OnnxModels;
using MiniCnn.OnnxModels.Format;

if (args is not [string folder] || !Directory.Exists(folder))
{
    Console.Error.WriteLine("expected one argument, a folder of ONNX tests, such as onnx/backend/test/data of https://github.com/onnx/onnx at tag v1.22.0");
    return 2;
}
int passed = 0, failed = 0;
List<(string Test, string Operator, string Reason)> skipped = [];
foreach (string model in Directory.EnumerateFiles(folder, "model.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
{
    string test = Path.GetRelativePath(folder, Path.GetDirectoryName(model)!);
    try
    {
        foreach (string set in Directory.GetDirectories(Path.GetDirectoryName(model)!, "test_data_set_*").Order(StringComparer.Ordinal))
            Run(model, set);
        passed++;
    }
    catch (OnnxFormatException e)
    {
        string[] parts = e.Message.Split(": ", 3);
        bool isNode = parts[0].StartsWith("node '", StringComparison.Ordinal) && parts.Length > 1;
        skipped.Add((test, isNode ? parts[0].Split("', ")[^1] : "the file", isNode ? string.Join(": ", parts[1..]) : e.Message));
    }
    catch (Exception e)
    {
        failed++;
        Console.WriteLine($"{test}: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
    }
}
foreach (IGrouping<string, (string Test, string Operator, string Reason)> group in skipped.GroupBy(skip => skip.Operator).OrderBy(group => group.Key, StringComparer.Ordinal))
{
    Console.WriteLine($"skipped, {group.Key}: {group.Count()}");
    foreach (IGrouping<string, (string Test, string Operator, string Reason)> reason in group.GroupBy(skip => skip.Reason).OrderByDescending(reason => reason.Count()).Take(8))
        Console.WriteLine($"    {reason.Count()}: {reason.Key} ({string.Join(", ", reason.Take(3).Select(skip => skip.Test))}{(reason.Count() > 3 ? " …" : "")})");
}
Console.WriteLine($"{passed} passed, {failed} failed, {skipped.Count} skipped");
return failed == 0 ? 0 : 1;

// All inputs except the first become constants of the graph, because node tests pass weights as inputs.
static void Run(string path, string set)
{
    ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
    string[] given = [.. model.Graph.Input.Select(input => input.Name).Where(name => model.Graph.Initializer.All(tensor => tensor.Name != name))];
    TensorProto[] inputs = Tensors(set, "input");
    for (int i = 1; i < given.Length && i < inputs.Length; i++)
        model.Graph.Initializer.Add(new TensorProto(inputs[i]) { Name = given[i] });
    (Layer network, ImageShape shape) = OnnxImport.Read(model, Path.GetDirectoryName(path)!, null);
    OnnxConstant x = OnnxConstant.Read(inputs[0], ""), y = OnnxConstant.Read(Tensors(set, "output")[0], "");
    nint n = (nint)x.Lengths[0];                                 // [N, H, W] means images of one channel
    float[] result = [.. network.Forward(Tensor.Create(x.AsFloats, shape.IsFlat ? [n, shape.Channels] : [n, shape.Channels, shape.Height, shape.Width]))];
    float[] expected = y.AsFloats;
    if (result.Length != expected.Length)
        throw new InvalidDataException($"the output has {result.Length} numbers, expected {expected.Length}");
    for (int i = 0; i < result.Length; i++)                      // the bounds of the ONNX test runner: numpy's assert_allclose(rtol=1e-3, atol=1e-7)
        if (!(Math.Abs(result[i] - expected[i]) <= 1e-7 + 1e-3 * Math.Abs(expected[i])) && !result[i].Equals(expected[i]))
            throw new InvalidDataException($"[{i}] is {result[i]}, expected {expected[i]}; {network.Summary(shape).Split('\n')[1]}");
}

static TensorProto[] Tensors(string set, string kind) => [.. Enumerable.Range(0, 1000).Select(i => Path.Combine(set, $"{kind}_{i}.pb")).TakeWhile(File.Exists)
    .Select(file => TensorProto.Parser.ParseFrom(File.ReadAllBytes(file)))];
