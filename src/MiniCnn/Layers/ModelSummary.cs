using System.Globalization;

namespace MiniCnn;

/// <summary>A text table of a model with one line per layer. Layers inside a container are indented.</summary>
static class ModelSummary
{
    public static string Of(Layer model, ImageShape input)
    {
        List<string[]> rows = [["layer", "output", "parameters", "multiply-adds"]];
        long activations = 0;
        int held = 0;                                                  // counts only layers that differ in training mode
        Add(model, input, 0);

        int[] widths = [.. Enumerable.Range(0, 4).Select(column => rows.Max(row => row[column].Length))];
        IEnumerable<string> lines = rows.Select(row =>
            $"{row[0].PadRight(widths[0])}  {row[1].PadRight(widths[1])}  {row[2].PadLeft(widths[2])}  {row[3].PadLeft(widths[3])}");
        long learned = Count(model, all: false), parameters = Count(model, all: true);
        return string.Join('\n', [
            .. lines,
            $"{Text(parameters)} parameters ({Bytes(4 * parameters)}){(learned < parameters ? $", {Text(parameters - learned)} of them frozen" : "")}"
                + (held > 0 ? $"; layers held in evaluation: {held}" : ""),
            $"an image of {input}: {Text(model.MultiplyAdds(input))} multiply-adds, {Bytes(4 * activations)} of outputs"]);

        void Add(Layer layer, ImageShape x, int depth)
        {
            ImageShape y = layer.OutputShape(x);
            string name = $"{new string(' ', 2 * depth)}{(layer.Place is "" ? "" : $"{layer.Place}  ")}{layer}";
            rows.Add([name, $"{y}", Text(Count(layer, all: true)), Text(layer.MultiplyAdds(x))]);
            if (layer is Container container)
            {
                foreach ((Layer part, ImageShape into) in container.Inputs(x))
                    Add(part, into, depth + 1);
            }
            held += layer is BatchNorm or Dropout or CustomLayer && layer.HoldInEvaluation ? 1 : 0;
            if (layer is not Sequential)                               // its output is that of its last layer
                activations += y.Length;
        }
    }

    static long Count(Layer layer, bool all) => layer.Parameters.Where(p => all || p.Trainable).Sum(p => (long)p.Length);

    static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    static string Bytes(long bytes) => bytes < 1024 ? $"{bytes} bytes" : bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB");
}
