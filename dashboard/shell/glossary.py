"""The glossary of the page, in the order in which a newcomer meets the terms."""

from html import escape

__all__ = ["GLOSSARY", "glossary_html"]

GLOSSARY = {
    "Latent": (
        "One of the few numbers to which the model reduces a galaxy's images. All of them "
        "together are its place in the latent space; the decoder rebuilds an image from them "
        "alone."
    ),
    "Physics-informed model": (
        "A variational autoencoder whose loss ties latents to measured properties: "
        "orientation, redshift, stellar mass and star-formation rate. The vanilla model is "
        "the same network without those ties: its latents have no names."
    ),
    "Projection": (
        "Principal components (PCA) or UMAP of a model's latents: few axes that show what lies "
        "together, made by train.project. They are no latents, and no search uses them; distances "
        "between groups on a UMAP mean little."
    ),
    "Free latent": (
        "A latent that no property is tied to. It holds what the images show and the tied "
        "latents do not say, such as colours, size and shape. The first changes the picture most."
    ),
    "Inferred": (
        "Read off the latents. The catalogue value is what was measured otherwise, as a rule "
        "from a spectrum."
    ),
    "Sigma": (
        "The 1-sigma error of a value. An inferred value lies within one sigma of the truth "
        "for about 68 % of galaxies if the model is well calibrated, within 1.64 sigma for 90 "
        "%."
    ),
    "\N{GREEK CAPITAL LETTER DELTA} / \N{GREEK SMALL LETTER SIGMA}": (
        "Inferred minus catalogue value, divided by the joint sigma of both. Beyond 3 it is "
        "pointed at: the galaxy is odd, or a value is wrong."
    ),
    "Reconstruction": (
        "The image that the decoder makes of a galaxy's latents. The reconstruction error is "
        "the mean squared difference a pixel, in the network's stretched units."
    ),
    "Share of training galaxies farther in": (
        "How unusual a galaxy is for the model: by how rare its colours at its brightness, and "
        "what the encoder finds in its middle, are among the training galaxies. Above 0.99 the "
        "card warns: what is inferred of a galaxy unlike all that the model has seen may be far "
        "off; the sigmas of its labels grow, up to the spread of the training galaxies."
    ),
    "Residual": ("Image minus reconstruction; or, of a number, inferred minus catalogue value."),
    "Redshift": ("How much the expansion of the universe has stretched the light: a distance."),
    "Stellar mass": ("Base-10 logarithm of the mass in stars, in units of the Sun's."),
    "SFR": (
        "Star-formation rate: base-10 logarithm of the solar masses of stars formed in a year."
    ),
    "Orientation": (
        "Angle of the long axis in the image, counter-clockwise from +x. It says how a galaxy "
        "happens to lie, so that distances leave it out unless you ask."
    ),
    "Population": (
        "The kind that the catalogue gives a galaxy. Field galaxies are ordinary. Green Peas "
        "are small, nearby and form stars at a furious rate; Red Spirals are discs that have "
        "nearly stopped."
    ),
    "Hard negative": (
        "A galaxy that looks like a rare one and is none. It counts as ordinary, and is there "
        "to be mistaken."
    ),
    "Split": (
        "Train: the model learnt from it. Validation: it chose when to stop. Test and "
        "held-out: never seen in training, the ones to judge by. New: unknown to the run "
        "altogether."
    ),
    "Density": (
        "How many galaxies share a place on the map, equalised: equal steps of colour hold "
        "equally many pixels."
    ),
    "Neighbours": (
        "The galaxies nearest in all features together that are searched by; not on the map, "
        "which shows two of them."
    ),
    "Whitened": (
        "Distances in units of each latent's own spread, with correlations taken out "
        "(Mahalanobis distance), so that no latent rules by its units. Raw: the latents as "
        "they are, which those of a model with more than 64 always are among themselves."
    ),
    "Look-alikes": (
        "Galaxies like the seeds: a population, a label or your selection. They rank by the "
        "density of the seeds where they lie or, as you choose, by how many seeds have them "
        "among their nearest."
    ),
    "Selection and filters": (
        "The lasso, the box and the sky select; histograms filter. What passes both is in "
        "focus, and all else stays as grey context."
    ),
    "SVM": (
        "Support vector machine: finds the surface that parts classes with the widest margin. "
        "Linear in two latents for the lines on the map, which bend where the regions of several "
        "classes meet; with a radial kernel in all features "
        "as one half of the classifier."
    ),
    "Classifier": (
        "A support vector machine with a radial kernel and, for classes of 20 galaxies or more, "
        "gradient-boosted trees, in all the features that galaxies are searched by. Their "
        "margins are added: the machine learns from few examples, trees tell the rarest best."
    ),
    "Photometry": (
        "Colours, magnitude, half-light radius and axis ratio of the catalogue: the plainest "
        "features to search by, and the baseline of every search."
    ),
    "Density of seeds": (
        "How densely the seeds lie around a galaxy, by a Gaussian kernel as wide as the "
        "distance from a seed to the third nearest other one."
    ),
    "SMOTE": (
        "Synthetic minority over-sampling: rare classes are filled up with points between "
        "neighbouring members, so that the many ordinary galaxies do not drown them. Only "
        "ever done to the training part of a fold."
    ),
    "Anomaly score": (
        "1 \N{MINUS SIGN} P(normal) by the classifier, at the shares of its training set: near "
        "1 for a galaxy that belongs with a rare class."
    ),
    "Margin": (
        "How near a galaxy is to the border between classes. Looking at small margins first "
        "teaches the classifier most."
    ),
    "Recall": ("Share of a class's members that are found."),
    "False-positive rate": (
        "Share of the ordinary galaxies that are taken for rare ones. At one in a hundred, a "
        "survey of a million yields ten thousand wrong ones."
    ),
    "Cross-validated": (
        "Measured on galaxies that were left out of the fit, in turn. The interval (Wilson) "
        "says how far the figure may be off with so few of them."
    ),
    "Traversal": (
        "One latent changed step by step, the others held, each step decoded: what that "
        "latent draws."
    ),
    "1:1 R\N{SUPERSCRIPT TWO}": (
        "1 minus the squared differences of inferred and catalogue values over the variance "
        "of the catalogue's: 1 is perfect, 0 no better than the mean. The linear one allows "
        "any straight line."
    ),
    "Coverage": (
        "Share of galaxies whose true value lies within the stated interval. For 90 % "
        "intervals it should be 90 %."
    ),
    "Bias, NMAD, outliers": (
        "Mean error; a robust width of the errors (normalised median absolute deviation, one "
        "sigma of a Gaussian); and the share of errors that are far too large. Redshifts are "
        "divided by 1 + z."
    ),
    "Known to be off": (
        "A label is off for a class or a region if galaxies of it that never trained show a bias "
        "that is certain and larger than half of the claimed sigma, or 90 % intervals that "
        "certainly hold less than 85 %."
    ),
    "Main sequence, green valley": (
        "Star-forming galaxies follow a line in SFR against mass, the main sequence; the "
        "green valley lies below it, on the way to the quiescent ones."
    ),
}


def glossary_html() -> str:
    """All terms as a definition list."""
    entries = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in GLOSSARY.items()
    )
    return f'<dl class="glossary">{entries}</dl>'
