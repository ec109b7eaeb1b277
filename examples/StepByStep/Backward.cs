using static MiniCnn.Examples.StepByStep.Windows;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>5. The backward pass.</summary>
static class Backward
{
    /// <summary>An example gradient of the loss by each output.</summary>
    public static readonly float[,] Dy = Values.Parse("1 -2 0; 3 1 -1; 0 2 1");

    /// <summary>Adds 1 to a pixel and shows the change of the output.</summary>
    public static Figure Feeds()
    {
        (int Row, int Column)[] pixels = [(0, 0), (1, 3), (2, 2), (4, 2)];
        return new(
            "Which outputs use a pixel",
            "Add 1 to one pixel and look at the change of Y. A corner pixel is in one window, the middle pixel is in all nine. Each output "
            + "changes by the weight that is multiplied with the pixel. In Y these weights have the reversed order: the first window multiplies "
            + "the pixel with its last weight.",
            Draw.Frames("Pixel", pixels.Select(p =>
            {
                float[,] more = Values.Fill(5, 5, (r, c) => X[r, c] + ((r, c) == p ? 1 : 0));
                float[,] change = Values.Convolve(more, K).Plus(Values.Convolve(X, K).Map(v => -v));
                bool Covers(int r, int c) => p.Row - r is >= 0 and < 3 && p.Column - c is >= 0 and < 3;
                return Draw.Row(
                    Draw.Numbers("X, one pixel + 1", more, mark: (r, c) => (r, c) == p ? "window" : null), Draw.Sign("⋆"),
                    Draw.Kernel("K", K), Draw.Sign("→"), Draw.Kernel("change of Y", change, mark: (r, c) => Covers(r, c) ? "window" : null));
            })));
    }

    public static Figure Dx()
    {
        Conv2d layer = Values.Layer(K);
        layer.Forward(X.ToTensor(), training: true);
        float[,] dx = Values.Of(layer.BackwardToInput(Dy.ToTensor()));
        float[,] padded = Values.Pad(Dy, 2), flipped = Values.Convolve(padded, K.Flip());
        return new(
            "dx is a convolution with the flipped kernel",
            "The gradient of a pixel is a sum over the outputs that the pixel feeds: each dy times the weight between them. These weights come in "
            + "reversed order. The sum is therefore the flipped kernel that slides over dy. A border of k − 1 = 2 zeros is needed because the "
            + "pixels at the rim feed few outputs. The marked window gives the marked pixel, row 1, column 3.",
            Draw.Row(
                Draw.Kernel("dy, padded by 2", padded, mark: Draw.Window(1, 3, K)), Draw.Sign("⋆"), Draw.Kernel("K flipped", K.Flip()), Draw.Sign("="),
                Draw.Kernel("sliding", flipped, mark: Draw.Square(1, 3)), Draw.Sign("="), Draw.Kernel("dx by the layer", dx)),
            Draw.Products(padded, K.Flip(), 1, 3));
    }

    public static Figure DxOfStride()
    {
        float[,] dy = Values.Parse("1 -2; 3 2");
        Conv2d layer = Values.Layer(K, stride: 2);
        layer.Forward(X.ToTensor(), training: true);
        float[,] dx = Values.Of(layer.BackwardToInput(dy.ToTensor()));
        float[,] spread = Values.Fill(7, 7, (r, c) => (r, c) is (2 or 4, 2 or 4) ? dy[r / 2 - 1, c / 2 - 1] : 0);
        return new(
            "dx of a stride: zeros between the gradients",
            "With a stride of 2 the layer computes every second output of stride 1. The outputs that it leaves out have no gradient. Put zeros in "
            + "their places, pad by 2, and slide the flipped kernel as before. A pixel meets the four weights at the corners, two at the sides, or the "
            + "one in the middle, as its row and column are even or odd. The engine computes these four phases separately, without the zeros.",
            Draw.Row(
                Draw.Kernel("dy", dy), Draw.Sign("→"), Draw.Kernel("with zeros, padded by 2", spread, mark: (r, c) => (r, c) is (2 or 4, 2 or 4) ? "window" : null),
                Draw.Sign("⋆"), Draw.Kernel("K flipped", K.Flip())),
            Draw.Row(
                Draw.Sign("="), Draw.Kernel("sliding", Values.Convolve(spread, K.Flip())), Draw.Sign("="), Draw.Kernel("dx by the layer", dx)));
    }

    public static Figure Dw()
    {
        Conv2d layer = Values.Layer(K);
        layer.Forward(X.ToTensor(), training: true);
        layer.Backward(Dy.ToTensor());
        return new(
            "dw is the correlation of x and dy",
            "A weight meets one pixel in each of the nine windows. Its gradient is the sum of these pixels, each times its dy. That is X convolved with "
            + "dy as if dy were the kernel. The marked pixels are those that the marked weight, row 0, column 2, meets.",
            Draw.Row(
                Draw.Numbers("X", X, mark: Draw.Window(0, 2, Dy)), Draw.Sign("⋆"), Draw.Kernel("dy", Dy), Draw.Sign("="),
                Draw.Kernel("sliding", Values.Convolve(X, Dy), mark: Draw.Square(0, 2)), Draw.Sign("="),
                Draw.Kernel("dw by the layer", Values.Of(layer.Weight.Gradient))),
            Draw.Products(X, Dy, 0, 2));
    }

    public static Figure Db()
    {
        Conv2d layer = Values.Layer(K);
        layer.Forward(X.ToTensor(), training: true);
        layer.Backward(Dy.ToTensor());
        return new(
            "db is a sum",
            "The bias is added to every output of its channel. Its gradient is the sum of dy.",
            Draw.Row(
                Draw.Kernel("dy", Dy, mark: (_, _) => "window"), Draw.Sign("→"),
                Draw.Kernel("db by the layer", Values.Fill(1, 1, (_, _) => layer.Bias!.Gradient[0]))),
            Draw.Formula($"{string.Join(" + ", Dy.List().Select(Draw.Term))} = {Values.N(Dy.List().Sum())}"));
    }

    /// <summary>Compares gradients with difference quotients of the loss Σ y·dy.</summary>
    public static Figure Quotient()
    {
        const float h = 1;                                       // A convolution is linear in each of them: any step is exact.
        Conv2d layer = Values.Layer(K);
        layer.Forward(X.ToTensor(), training: true);
        float dx = Values.Of(layer.BackwardToInput(Dy.ToTensor()))[1, 3], dw = layer.Weight.Gradient[0, 0, 0, 2], db = layer.Bias!.Gradient[0];
        float Loss(float pixel, float weight, float bias) => Values.Convolve(
            X.Plus(Values.Fill(5, 5, (r, c) => (r, c) == (1, 3) ? pixel : 0)), K.Plus(Values.Fill(3, 3, (r, c) => (r, c) == (0, 2) ? weight : 0)), bias: bias)
            .List().Zip(Dy.List(), (y, dy) => y * dy).Sum();
        (string Name, float Less, float More, float Layer)[] rows = [("pixel, row 1, column 3", Loss(-h, 0, 0), Loss(h, 0, 0), dx),
            ("weight, row 0, column 2", Loss(0, -h, 0), Loss(0, h, 0), dw), ("bias", Loss(0, 0, -h), Loss(0, 0, h), db)];
        return new(
            "Checked by a difference quotient",
            "Are the gradients correct? Decrease and increase a pixel, a weight or the bias by 1, and compute the loss, here Σ y·dy. The slope "
            + "between the two losses is the gradient. GradientCheck does this for each number of any layer.",
            Table("Gradients by the backward pass and by difference quotients", ["number", "loss at − 1", "loss at + 1", "(difference) / 2", "by the layer"],
                from row in rows
                select (string[])[row.Name, Values.N(row.Less), Values.N(row.More), Values.N((row.More - row.Less) / (2 * h)), Values.N(row.Layer)]));
    }
}
