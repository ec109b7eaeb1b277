namespace MiniCnn.Tests;

public sealed class SummaryTests
{
    [Fact]
    public void A_model_is_a_table_of_shapes_parameters_and_multiply_adds()
    {
        Conv2d frozen = new(1, 6, (3, 5), stride: (1, 2), bias: false);
        frozen.Weight.Trainable = false;
        Sequential model = new(
            frozen, new BatchNorm2d(6), new ReLU(), new Sequential(new Conv2d(6, 4, 3, groups: 2), new MaxPool2d(2)), new Flatten(), new Linear(36, 10));

        // conv 0: 6·8·9 outputs of 15 products; conv 3.0: 4·6·7 of 3·9; linear: 36·10. Outputs: 432 three times, 168, 36, 36, 10.
        Assert.Equal(
            """
            layer                                       output       parameters  multiply-adds
            Sequential(6 layers)                        10 features         584         11,376
              0  Conv2d(1→6, 3×5, stride 1×2, no bias)  6×8×9                90          6,480
              1  BatchNorm2d(6)                         6×8×9                12              0
              2  ReLU                                   6×8×9                 0              0
              3  Sequential(2 layers)                   4×3×3               112          4,536
                3.0  Conv2d(6→4, 3×3, groups 2)         4×6×7               112          4,536
                3.1  MaxPool2d(2×2, stride 2)           4×3×3                 0              0
              4  Flatten                                36 features           0              0
              5  Linear(36→10)                          10 features         370            360
            584 parameters (2.3 KiB), 90 of them frozen
            an image of 1×10×21: 11,376 multiply-adds, 6 KiB of outputs
            """.ReplaceLineEndings("\n"),
            model.Summary(new(1, 10, 21)));
    }

    [Fact]
    public void Layers_of_decoders_have_a_row_each()
    {
        Sequential model = new(
            new Linear(5, 60), new BatchNorm1d(60) { HoldInEvaluation = true }, new Unflatten(new(3, 4, 5)), new Pad2d(new(1, -1, 0, 2)),
            new MaxPool2d(2, ceilMode: true), new Pad2d(1, PaddingMode.Replicate), new AdaptiveMaxPool2d((2, 1)));
        Assert.Equal(
            """
            layer                                          output       parameters  multiply-adds
            Sequential(7 layers)                           3×2×1               480            300
              0  Linear(5→60)                              60 features         360            300
              1  BatchNorm1d(60)                           60 features         120              0
              2  Unflatten(3×4×5)                          3×4×5                 0              0
              3  Pad2d(top 1, left -1, bottom 0, right 2)  3×5×6                 0              0
              4  MaxPool2d(2×2, stride 2, ceil mode)       3×3×3                 0              0
              5  Pad2d(1, Replicate)                       3×5×5                 0              0
              6  AdaptiveMaxPool2d(2×1)                    3×2×1                 0              0
            480 parameters (1.9 KiB); layers held in evaluation: 1
            an image of 5 features: 300 multiply-adds, 1.5 KiB of outputs
            """.ReplaceLineEndings("\n"),
            model.Summary(5));
    }

    [Fact]
    public void A_layer_by_itself_has_one_and_a_shape_that_does_not_fit_is_named()
    {
        Assert.Equal(
            "layer        output      parameters  multiply-adds\n"
            + "Linear(2→3)  3 features           9              6\n"
            + "9 parameters (36 bytes)\n"
            + "an image of 2 features: 6 multiply-adds, 12 bytes of outputs",
            new Linear(2, 3).Summary(ImageShape.Features(2)));
        string large = new Sequential(new Linear(1000, 1000), new ReLU()).Summary(ImageShape.Features(1000));
        Assert.Contains("1,001,000 parameters (3.8 MiB)\n", large, StringComparison.Ordinal);
        Assert.Contains(
            "layer 1, Linear(2→3)", Assert.Throws<ArgumentException>(() => new Sequential(new ReLU(), new Linear(2, 3)).Summary(new(1, 2, 1))).Message);
    }
}
