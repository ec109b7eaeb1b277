using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class DrawingTests
{
    [Fact]
    public void The_font_is_the_one_in_the_library_and_small()
    {
        using Stream own = typeof(Picture).Assembly.GetManifestResourceStream("DejaVuSans-subset.ttf")!;
        byte[] bytes = new byte[own.Length];
        own.ReadExactly(bytes);
        Assert.InRange(bytes.Length, 1, 50_000);
        using SkiaSharp.SKStreamAsset used = Drawing.Typeface.OpenStream();
        byte[] drawn = new byte[used.Length];
        Assert.Equal(drawn.Length, used.Read(drawn, drawn.Length));
        Assert.Equal(bytes, drawn);
    }

    [Theory]
    [InlineData("H", 12, 20, 31)]
    [InlineData("H", 10, 20, 29)]
    [InlineData("validation, 25 °C", 12, 17, 36)]
    [InlineData("μ ± σ → ½", 10, 17, 34)]
    public void A_text_is_ink_in_the_rectangle_that_it_is_measured_to_take_and_nowhere_else(string text, int capital, int top, int bottom)
    {
        int width = Drawing.Width(text, capital);
        Picture sheet = Drawing.Sheet(width + 40, 60, canvas => canvas.Write(text, 20, 20, capital, Drawing.Ink));
        var ink = Drawn.Ink(sheet);
        Assert.InRange(ink.Left, 20, 22);
        Assert.InRange(ink.Right, 20 + width - 4, 20 + width - 1);
        Assert.InRange(ink.Top, top, 20);
        Assert.InRange(ink.Bottom, 20 + capital - 1, bottom);
        Assert.Contains(Drawn.Places(sheet, Drawing.Ink), _ => true);           // full in places, and between ink and paper at edges
        Assert.True(text == "H" || sheet.Pixels.Distinct().Count() > 20);
    }

    [Fact]
    public void Every_character_that_papers_use_has_a_form_of_its_own_and_one_that_is_unknown_is_a_box()
    {
        const string known = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.,:;!?%#&*/()[]<>=_|\"'" +
            "äöüßéñçøłžЖяαβγδεηθλμσφωΔΣΩ×·−±°²³½→←…–—„“”≤≥≈≠∞√∂∇€";
        string[] forms = [.. known.Select(c => Form($"{c}"))];
        Assert.Equal(forms.Length, forms.Distinct().Count());
        string box = Form("猫");
        Assert.DoesNotContain(box, forms);
        Assert.All(["の", "😀", "\t", "\ud800"], unknown => Assert.Equal(box, Form(unknown)));

        // Ink on all four sides, paper within.
        Picture sheet = Drawing.Sheet(160, 160, canvas => canvas.Write("猫", 40, 40, 48, Drawing.Ink));
        (int left, int top, int right, int bottom) = Drawn.Ink(sheet);
        Assert.True(right - left > 20 && bottom - top > 40);
        Assert.All(Enumerable.Range(left + 1, right - left - 1), x => Assert.True(Dark(x, top) && Dark(x, bottom)));
        Assert.All(Enumerable.Range(top + 1, bottom - top - 1), y => Assert.True(Dark(left, y) && Dark(right, y)));
        Assert.Equal(new(255, 255, 255), Drawn.At(sheet, (left + right) / 2, (top + bottom) / 2));

        bool Dark(int x, int y) => Drawn.At(sheet, x, y).Red < 250;
        static string Form(string text) =>
            Convert.ToHexString(Drawing.Sheet(60, 60, canvas => canvas.Write(text, 10, 20, 20, Drawing.Ink)).Pixels);
    }

    [Fact]
    public void What_is_drawn_is_the_same_each_time_on_many_threads_at_once()
    {
        Picture[] charts = new Picture[16];
        Parallel.For(0, charts.Length, i => charts[i] = LineChart.Draw("λ = 10⁻³", "epoch", "loss", [new("one", 0, 1, 3), new("two", 3, 2, 1)]));
        Assert.All(charts, chart => Assert.Equal(charts[0].Pixels, chart.Pixels));
    }
}
