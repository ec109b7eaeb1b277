using System.Numerics.Tensors;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>What an epoch came to: the mean loss, and the share of photos that were read right, from 0 to 1.</summary>
readonly record struct Epoch(double Loss, double Accuracy);

/// <summary>A run through the photos, epoch after epoch.</summary>
static class Training
{
    /// <summary>Trains, and returns what each whole epoch came to; cancelled, it ends after the batch that it is at.</summary>
    public static List<Epoch> Run(
        Sequential network, LabeledImages photos, int epochs, int batchSize, float learningRate, int seed, CancellationToken cancel)
    {
        // Photos are few: each epoch sees other parts of them, mirrored or not, brighter or darker.
        Augmentation augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 };
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(network.Parameters, learningRate, momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);
        int step = 0, steps = epochs * ((photos.Count + batchSize - 1) / batchSize);
        List<Epoch> history = [];

        return TrainingProgress.Show(progress =>
        {
            for (int epoch = 0; epoch < epochs && !cancel.IsCancellationRequested; epoch++)
            {
                double sum = 0;
                int right = 0, seen = 0;
                foreach ((Tensor<float> images, int[] labels) in photos.Batches(batchSize, seed: 1000 * seed + epoch, augmentation))
                {
                    // Up for a fifth of the run, then down to nothing.
                    float done = step++ / (float)steps;
                    optimizer.LearningRate = learningRate * Math.Min((done + 0.01f) / 0.2f, (1 - done) / 0.8f);

                    Tensor<float> logits = network.Forward(images, training: true);
                    float value = loss.Forward(logits, labels);
                    network.Backward(loss.Backward());
                    optimizer.Step();
                    optimizer.ZeroGrad();

                    int rightOnes = Evaluation.CountCorrect(logits, labels);
                    progress.Report(new(epoch, epochs, step, steps, value, rightOnes, labels.Length));
                    (sum, right, seen) = (sum + value * labels.Length, right + rightOnes, seen + labels.Length);
                    if (cancel.IsCancellationRequested && seen < photos.Count)
                        return history;
                }
                history.Add(new(sum / seen, (double)right / seen));
            }
            return history;
        });
    }
}
